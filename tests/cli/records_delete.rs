//! `velo records delete`

use crate::support::records::User;

on_both_clusters! {
    fn the_oldest_records_go_and_the_start_moves(cluster) {
        let user = User::at(cluster);
        let topic = user.topic(2);
        user.writes(&topic, "a\nb\nc\n", &["--partition", "0"]);
        user.writes(&topic, "d\n", &["--partition", "1"]);
        let delete = ["records", "delete", &topic, "--before", "2", "--output", "plain"];
        let dry = user.velo(&[&delete[..], &["--dry-run"]].concat()).succeeds();
        let rows = format!("{topic}\t0\t0\t2\t2\n{topic}\t1\t0\t1\t1\n");
        assert_eq!(dry.stdout, rows);
        assert_eq!(dry.stderr, "Would delete 3 records. Nothing was done.\n");
        let unasked = user.velo(&delete).fails_with(2);
        assert!(unasked.stderr.contains("this needs a yes"), "{}", unasked.stderr);
        let done = user.velo(&[&delete[..], &["--yes"]].concat()).succeeds();
        assert_eq!(done.stdout, rows);
        assert_eq!(done.stderr, format!("Deleted 3 records of topic `{topic}`.\n"));
        assert_eq!(user.reads(&topic, &[]), "c\n");
        let offsets = user.velo(&["offsets", &topic, "--output", "plain"]).succeeds();
        assert_eq!(offsets.stdout, format!("{topic}\t0\t2\t3\t1\n{topic}\t1\t1\t1\t0\n"));
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
        assert!(beyond.stderr.contains("it ends at 2"), "{}", beyond.stderr);
    }
}
