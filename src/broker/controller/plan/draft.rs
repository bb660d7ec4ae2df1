//! A change of several parts: each part is planned on what those before it add up to.

use super::{Step, View};
use crate::broker::error::{Result, Unsupported};
use crate::broker::metadata::{MetadataImage, MetadataRecord};
use std::borrow::Cow;

/// Records so far, and the image that they lead to.
pub(super) struct Draft<'a> {
    image: Cow<'a, MetadataImage>,
    next_offset: i64,
    records: Vec<MetadataRecord>,
    /// Why the records cannot be applied: a mistake of the plan, which takes the whole change back.
    refused: Option<Unsupported>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: &View<'a>) -> Self {
        Draft {
            image: Cow::Borrowed(view.image),
            next_offset: view.next_offset,
            records: Vec::new(),
            refused: None,
        }
    }

    /// The image with all that has been added.
    pub(super) fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Adds a record.
    pub(super) fn add(&mut self, record: MetadataRecord) {
        // The image is copied once, by the first record.
        if let Err(error) = self.image.to_mut().apply(self.next_offset, &record) {
            self.refused.get_or_insert(error);
        }
        self.next_offset += 1;
        self.records.push(record);
    }

    /// The step that the draft adds up to.
    ///
    /// # Errors
    /// [`Unsupported`] when a record was added that this broker does not act on.
    pub(super) fn step<A>(self, answer: A) -> Result<Step<A>> {
        match self.refused {
            Some(error) => Err(error.into()),
            None => Ok(Step {
                records: self.records,
                answer,
            }),
        }
    }

    /// The same of a request that may only want to know what would be: nothing is written then.
    ///
    /// # Errors
    /// As [`Draft::step`].
    pub(super) fn step_unless<A>(mut self, validate_only: bool, answer: A) -> Result<Step<A>> {
        if validate_only {
            self.records.clear();
        }
        self.step(answer)
    }
}
