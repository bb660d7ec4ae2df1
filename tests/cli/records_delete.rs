//! `velo records delete`

use crate::support::records::User;

on_both_clusters! {
    fn the_oldest_records_go_and_the_start_moves(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        user.writes(&topic, "a\nb\nc\n", &["--partition", "0"]);
        user.writes(&topic, "d\n", &["--partition", "1"]);
        let delete = ["records", "delete", &topic, "--before", "1", "--output", "plain"];
        let dry = user.velo(&[&delete[..], &["--dry-run"]].concat()).succeeds();
        let rows = format!("{topic}\t0\t0\t1\t1\n{topic}\t1\t0\t1\t1\n");
        assert_eq!(dry.stdout, rows);
        assert_eq!(dry.stderr, "Would delete 2 records. Nothing was done.\n");
        let unasked = user.velo(&delete).fails_with(2);
        assert!(unasked.stderr.contains("this needs a yes"), "{}", unasked.stderr);
        let done = user.velo(&[&delete[..], &["--yes"]].concat()).succeeds();
        assert_eq!(done.stdout, rows);
        assert_eq!(done.stderr, format!("Deleted 2 records of topic `{topic}`.\n"));
        assert_eq!(user.reads(&topic, &[]), "b\nc\n");
        let offsets = user.velo(&["offsets", &topic, "--output", "plain"]).succeeds();
        assert_eq!(offsets.stdout, format!("{topic}\t0\t1\t3\t2\n{topic}\t1\t1\t1\t0\n"));
    }

    fn all_records_of_one_partition_can_go(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        user.writes(&topic, "a\nb\n", &["--partition", "0"]);
        user.writes(&topic, "c\n", &["--partition", "1"]);
        user.velo(&["records", "delete", &topic, "--before", "latest", "--partition", "0", "--yes"]).succeeds();
        assert_eq!(user.reads(&topic, &[]), "c\n");
        let none = user.velo(&["records", "delete", &topic, "--before", "@-1h", "--yes"]).succeeds();
        assert_eq!(none.stderr, format!("No record of topic `{topic}` is before that.\n"));
        let beyond = ["records", "delete", &topic, "--before", "9", "--partition", "0", "--yes"];
        let beyond = user.velo(&beyond).fails_with(1);
        assert!(beyond.stderr.contains(&format!("{topic}-0 ends at 2")), "{}", beyond.stderr);
    }

    fn an_offset_that_a_partition_does_not_have_deletes_nothing(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        user.writes(&topic, "a\nb\nc\nd\n", &["--partition", "0"]);
        user.writes(&topic, "e\n", &["--partition", "1"]);
        let delete = |more: &[&str]| user.velo(&[&["records", "delete", &topic, "--before"], more].concat());
        for more in [["999", "--yes"], ["5", "--dry-run"]] {
            let refused = delete(&more).fails_with(1);
            let offset = more[0];
            assert_eq!(refused.stderr, format!(
                "error: offset {offset} is out of range, nothing was deleted\n  why: {topic}-0 ends at 4, {topic}-1 ends at 1\n\
                 hint: velo records delete {topic} --before latest   (all records)\n"
            ));
        }
        // One that a part of the partitions has: the command names them.
        let refused = delete(&["3", "--yes"]).fails_with(1);
        let hint = format!("hint: velo records delete {topic} --before 3 --partition 0\n");
        assert!(refused.stderr.contains(&hint), "{}", refused.stderr);
        let offsets = user.velo(&["offsets", &topic, "--output", "plain"]).succeeds();
        assert_eq!(offsets.stdout, format!("{topic}\t0\t0\t4\t4\n{topic}\t1\t0\t1\t1\n"));
        delete(&["3", "--partition", "0", "--yes"]).succeeds();
        // What lies before the start is gone already.
        let none = delete(&["2", "--partition", "0", "--yes"]).succeeds();
        assert_eq!(none.stderr, format!("No record of topic `{topic}` is before that.\n"));
        delete(&["4", "--partition", "0", "--yes"]).succeeds();
        assert_eq!(user.reads(&topic, &[]), "e\n");
    }
}
