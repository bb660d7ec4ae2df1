//! The volume that a log directory lies on.

use std::path::Path;
use sysinfo::{DiskRefreshKind, Disks};

/// A volume's room, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// All there is.
    pub total: u64,
    /// What is free for this process.
    pub usable: u64,
}

impl Volume {
    /// The volume of an absolute path; `None` when the system does not tell.
    pub fn of(path: &Path) -> Option<Self> {
        let disks =
            Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage()).ok()?;
        let holding = disks.iter().filter(|disk| path.starts_with(disk.mount_point()));
        let disk = holding.max_by_key(|disk| disk.mount_point().as_os_str().len())?;
        Some(Volume {
            total: disk.total_space(),
            usable: disk.available_space(),
        })
    }
}
