//! Logs that could not be opened are opened once they can be, as they were.

use super::{append, batch, image_of, manager, partition_image, refusal};
use crate::broker::log::file;
use crate::broker::metadata::MetadataImage;
use crate::broker::replication::ReplicaManager;
use crate::broker::replication::maintenance::Rests;
use crate::broker::world::Disk;
use kafka_protocol::ResponseError;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// What stands where a partition's folder, or a file in it, should be, so that nothing can be opened there.
struct InTheWay<'a>(&'a Path);

impl<'a> InTheWay<'a> {
    fn of_a_file(path: &'a Path) -> Self {
        fs::rename(path, path.with_extension("aside")).unwrap();
        fs::create_dir(path).unwrap();
        InTheWay(path)
    }

    fn of_a_folder(path: &'a Path) -> Self {
        file::replace(&Disk::files(), path, b"").unwrap();
        InTheWay(path)
    }
}

impl Drop for InTheWay<'_> {
    fn drop(&mut self) {
        if self.0.is_dir() {
            fs::remove_dir(self.0).unwrap();
            fs::rename(self.0.with_extension("aside"), self.0).unwrap();
        } else {
            fs::remove_file(self.0).unwrap();
        }
    }
}

fn opens(manager: &ReplicaManager, image: &MetadataImage) -> bool {
    manager.open_offline(image, &Rests::default(), &mut Rests::default())
}

#[test]
fn a_log_that_could_not_be_made_is_made_and_led_once_it_can_be() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("t-0");
    let image = image_of(&[("t", 1, partition_image(&[1], &[1], 1, 0))]);
    let manager = manager(dir.path());
    let in_the_way = InTheWay::of_a_folder(&folder);
    manager.apply(&image).unwrap_err();
    assert!(manager.is_offline(Uuid::from_u128(1), 0) && manager.lacks_logs());
    let mut rests = Rests::default();
    assert!(!manager.open_offline(&image, &Rests::default(), &mut rests));
    drop(in_the_way);
    let mut rested = Rests::default();
    assert!(
        !manager.open_offline(&image, &rests, &mut rested),
        "it rests a round"
    );
    assert!(manager.open_offline(&image, &rested, &mut Rests::default()));
    assert!(!manager.is_offline(Uuid::from_u128(1), 0) && !manager.lacks_logs());
    let partition = manager.partition("t", 0).unwrap();
    assert_eq!(append(&partition, batch("a"), -1).unwrap().base_offset, 0);
    assert!(!opens(&manager, &image), "there is nothing more to open");
}

#[test]
fn a_log_that_could_not_be_opened_at_the_start_is_as_it_was_when_it_can_be() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("t-0").join("partition.metadata");
    let led = |partition_epoch| {
        let mut partition = partition_image(&[1], &[1], 1, 0);
        partition.partition_epoch = partition_epoch;
        image_of(&[("t", 1, partition)])
    };
    let before = manager(dir.path());
    before.apply(&led(0)).unwrap();
    let partition = before.partition("t", 0).unwrap();
    for value in ["a", "b", "c"] {
        append(&partition, batch(value), 1).unwrap();
    }
    partition.log.delete_records(2).unwrap();
    before.close(7).unwrap();

    let after = manager(dir.path());
    let in_the_way = InTheWay::of_a_file(&file);
    after.apply(&led(0)).unwrap_err();
    after.apply(&led(1)).unwrap();
    after.close(8).unwrap();
    assert!(
        !dir.path().join(".kafka_cleanshutdown").exists(),
        "nobody has checked that log"
    );
    drop(in_the_way);
    after.apply(&led(2)).unwrap();
    assert!(
        after.partition("t", 0).is_none(),
        "what the files beside it say counts"
    );
    assert!(opens(&after, &led(2)));
    let log = &after.partition("t", 0).unwrap().log;
    assert_eq!(
        (log.log_start_offset(), log.high_watermark(), log.log_end_offset()),
        (2, 3, 3)
    );
}

#[test]
fn what_a_log_left_behind_that_could_not_be_opened_goes_with_its_topic() {
    let dir = TempDir::new().unwrap();
    let folder = dir.path().join("t-0");
    let here = partition_image(&[1], &[1], 1, 0);
    let before = manager(dir.path());
    before.apply(&image_of(&[("t", 1, here.clone())])).unwrap();
    append(&before.partition("t", 0).unwrap(), batch("a"), 1).unwrap();
    drop(before);

    let after = manager(dir.path());
    let epochs = folder.join("leader-epoch-checkpoint");
    let in_the_way = InTheWay::of_a_file(&epochs);
    after.apply(&image_of(&[("t", 1, here.clone())])).unwrap_err();
    drop(in_the_way);
    after.apply(&image_of(&[])).unwrap();
    assert!(!folder.exists() && !after.lacks_logs());
    after.apply(&image_of(&[("t", 2, here)])).unwrap();
    assert_eq!(after.partition("t", 0).unwrap().log.log_end_offset(), 0);
}

#[test]
fn a_log_directory_that_could_not_be_read_at_the_start_is_read_once_it_can_be() {
    let dir = TempDir::new().unwrap();
    let image = image_of(&[("t", 1, partition_image(&[1], &[1], 1, 0))]);
    let before = manager(dir.path());
    before.apply(&image).unwrap();
    append(&before.partition("t", 0).unwrap(), batch("a"), 1).unwrap();
    before.close(7).unwrap();

    let after = manager(dir.path());
    let checkpoint = dir.path().join("replication-offset-checkpoint");
    let in_the_way = InTheWay::of_a_file(&checkpoint);
    after.apply(&image).unwrap_err();
    assert!(after.lacks_logs() && after.partition("t", 0).is_none());
    assert!(!opens(&after, &image));
    drop(in_the_way);
    assert!(opens(&after, &image));
    let partition = after.partition("t", 0).unwrap();
    assert_eq!(partition.log.log_end_offset(), 1);
    after.apply(&image_of(&[])).unwrap();
    assert_eq!(
        refusal(append(&partition, batch("b"), 1)),
        ResponseError::NotLeaderOrFollower
    );
}
