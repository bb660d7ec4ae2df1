//! The folder of a classroom cluster: which nodes it has, and the files of each.

use super::DataArgs;
use super::nearby::{self, Meant};
use super::node::{Condition, NodeFolder, write_whole};
use super::shape::Shape;
use crate::commands::Context;
use crate::commands::select::typed;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// The folder of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFolder {
    root: PathBuf,
    /// Whether commands mean it without being told so.
    own: bool,
}

/// Held by whoever starts nodes or deletes them: one at a time.
#[derive(Debug)]
pub struct Changing {
    _file: File,
}

impl ClusterFolder {
    /// The folder that `--data` names, else the user's own.
    pub fn of(args: &DataArgs, context: &Context) -> Self {
        match &args.data {
            Some(root) => Self::at(root),
            None => Self::own(&context.places),
        }
    }

    /// The folder that `--data` names, else that of the cluster that is meant where none is named, else the user's own.
    ///
    /// # Errors
    /// When it cannot be told what runs.
    pub fn meant(args: &DataArgs, context: &Context) -> Outcome<Self> {
        if args.data.is_some() {
            return Ok(Self::of(args, context));
        }
        match nearby::meant(&context.places)? {
            Meant::This(running) => Ok(running.folder),
            Meant::None => Ok(Self::own(&context.places)),
            Meant::Several(all) => Err(all.iter().fold(
                Failure::usage("several clusters run on this machine; which one is meant?"),
                |failure, one| {
                    failure.hint(format!(
                        "{}    ({})",
                        one.folder.data_option().trim(),
                        one.shape.bootstrap()
                    ))
                },
            )),
        }
    }

    /// The user's own folder, which is meant where none is named.
    pub fn own(places: &Places) -> Self {
        ClusterFolder {
            root: places.data.join("cluster"),
            own: true,
        }
    }

    /// The cluster whose data is in `root`.
    pub fn at(root: &Path) -> Self {
        ClusterFolder {
            root: root.to_owned(),
            own: false,
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files of the node of that id.
    pub fn node(&self, id: i32) -> NodeFolder {
        NodeFolder::new(&self.root, id)
    }

    fn shape_file(&self) -> PathBuf {
        self.root.join("cluster.json")
    }

    /// The nodes that the cluster of this folder has, or had when it last ran; none where it never did.
    ///
    /// # Errors
    /// When the file cannot be read; one that is not ours counts as none.
    pub fn shape(&self) -> Outcome<Option<Shape>> {
        match fs::read(self.shape_file()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unusable(&self.root, &error)),
        }
    }

    /// Writes the nodes down, whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, shape: &Shape) -> Outcome {
        fs::create_dir_all(&self.root)
            .and_then(|()| write_whole(&self.shape_file(), shape))
            .map_err(|error| unusable(&self.root, &error))
    }

    /// Waits until nobody else starts nodes of this cluster or deletes them, and keeps others from it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn changing(&self) -> Outcome<Changing> {
        let lock = || {
            fs::create_dir_all(&self.root)?;
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(self.root.join("cluster.lock"))?;
            file.lock()?;
            Ok(Changing { _file: file })
        };
        lock().map_err(|error| unusable(&self.root, &error))
    }

    /// How it is with each node, in the order in which they start.
    ///
    /// # Errors
    /// When the folder cannot be looked into.
    pub fn conditions(&self, shape: &Shape) -> Outcome<Vec<(i32, Condition)>> {
        let nodes = shape.nodes().into_iter();
        nodes.map(|id| Ok((id, self.node(id).condition()?))).collect()
    }

    /// The nodes of the cluster, if one of them serves, and a broker has an address.
    ///
    /// # Errors
    /// When the folder cannot be looked into.
    pub fn running(&self) -> Outcome<Option<Shape>> {
        let Some(shape) = self.shape()? else {
            return Ok(None);
        };
        let conditions = self.conditions(&shape)?;
        let serves = |(_, condition): &(i32, Condition)| matches!(condition, Condition::Serving(_));
        Ok((conditions.iter().any(serves) && !shape.bootstrap().is_empty()).then_some(shape))
    }

    /// Whether a process runs a node of this folder now, whether or not it serves.
    ///
    /// # Errors
    /// When the folder cannot be looked into.
    pub fn is_running(&self) -> Outcome<bool> {
        for id in self.shape()?.map_or_else(Vec::new, |shape| shape.nodes()) {
            if self.node(id).is_running()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// ` --data DIR`, to complete a hint, when the folder is not the user's own.
    pub fn data_option(&self) -> String {
        if self.own {
            String::new()
        } else {
            format!(" --data {}", typed(&[self.root.display().to_string()]))
        }
    }
}

/// The failure of a cluster's folder that cannot be read or written.
pub(super) fn unusable(root: &Path, error: &io::Error) -> Failure {
    Failure::request(format!("cannot use the cluster's folder {}", root.display()))
        .because(error)
        .hint("velo cluster start --data DIR, with a folder that you can write to")
}
