use super::*;
use crate::broker::world::disk::refusing::{Refused, Refusing};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tempfile::TempDir;

#[test]
fn a_crash_at_any_step_leaves_the_old_file_or_the_new_one() {
    // What the disk does not do any more, and whether the new file is there then.
    let table = [
        (Refused::Write, false),
        (Refused::Panic, false),
        (Refused::Sync, false),
        (Refused::Rename, false),
        (Refused::SyncFolder, true),
    ];
    for (step, is_new) in table {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state");
        replace(&Disk::files(), &path, b"the old content").unwrap();
        let refusing = Refusing::new(folder.path(), step);
        let crashed = catch_unwind(AssertUnwindSafe(|| {
            replace(&Disk::files(), &path, b"the new and longer content")
        }));
        assert!(!matches!(crashed, Ok(Ok(()))), "{step:?}: a failure is told");
        drop(refusing);
        let expected: &[u8] = if is_new {
            b"the new and longer content"
        } else {
            b"the old content"
        };
        assert_eq!(fs::read(&path).unwrap(), expected, "{step:?}");
        // What was left over stands in nobody's way.
        replace(&Disk::files(), &path, b"third").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"third", "{step:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{step:?}");
    }
}

#[test]
fn a_file_that_can_be_made_anew_waits_for_nothing_and_is_never_a_half() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("derived");
    let refusing = Refusing::new(folder.path(), Refused::Sync);
    replace_derived(&Disk::files(), &path, b"old").unwrap();
    drop(refusing);
    let refusing = Refusing::new(folder.path(), Refused::Write);
    replace_derived(&Disk::files(), &path, b"the new one").unwrap_err();
    drop(refusing);
    assert_eq!(fs::read(&path).unwrap(), b"old");
}
