//! The segments of a log, as a list that is replaced as a whole: readers hold the one they began with. It changes under the
//! lock of the one writer.

use super::segment::Segment;
use crate::broker::error::Result;
use arc_swap::{ArcSwap, Guard};
use std::path::Path;
use std::sync::Arc;

/// By base offset; never empty, the last one is active.
#[derive(Debug)]
pub(super) struct Segments(ArcSwap<Vec<Arc<Segment>>>);

impl Segments {
    /// Those of a log, at least one.
    pub fn new(segments: Vec<Arc<Segment>>) -> Self {
        Segments(ArcSwap::from_pointee(segments))
    }

    /// The list, for a moment.
    pub fn load(&self) -> Guard<Arc<Vec<Arc<Segment>>>> {
        self.0.load()
    }

    /// The list, for longer.
    pub fn load_full(&self) -> Arc<Vec<Arc<Segment>>> {
        self.0.load_full()
    }

    /// The segment that is appended to.
    pub fn active(&self) -> Arc<Segment> {
        let segments = self.load();
        // The list is never empty: each change leaves at least the active segment in it.
        match segments.last() {
            Some(active) => Arc::clone(active),
            None => unreachable!("a log without segments"),
        }
    }

    /// Base offset of the first.
    pub fn first_base(&self) -> i64 {
        self.load().first().map_or(0, |segment| segment.base_offset())
    }

    /// From the one on that may hold `offset`.
    pub fn since(&self, offset: i64) -> Vec<Arc<Segment>> {
        let segments = self.load();
        segments
            .get(Self::index_of(&segments, offset)..)
            .unwrap_or_default()
            .to_vec()
    }

    /// Where in a list the segment is that may hold `offset`.
    pub fn index_of(segments: &[Arc<Segment>], offset: i64) -> usize {
        let after = segments.partition_point(|segment| segment.base_offset() <= offset);
        after.saturating_sub(1)
    }

    /// Bytes of all of them.
    pub fn size(&self) -> u64 {
        self.load().iter().map(|segment| segment.size()).sum()
    }

    /// Appends go to a new one.
    pub fn push(&self, segment: Arc<Segment>) {
        let mut segments = self.load().to_vec();
        segments.push(segment);
        self.set(segments);
    }

    /// Takes another list, which is not empty.
    pub fn set(&self, segments: Vec<Arc<Segment>>) {
        self.0.store(Arc::new(segments));
    }

    /// Puts a segment in the place of those that it was made from.
    pub fn replace(&self, group: &[Arc<Segment>], segment: Segment) {
        let replaced = |other: &&Arc<Segment>| group.iter().any(|old| Arc::ptr_eq(old, other));
        let now = self.load();
        let mut segments: Vec<_> = now.iter().filter(|other| !replaced(other)).cloned().collect();
        let at = segments.partition_point(|other| other.base_offset() < segment.base_offset());
        segments.insert(at, Arc::new(segment));
        self.set(segments);
    }

    /// Where the list would end if it were cut at `offset`: before the batch that holds it.
    pub fn end_before(&self, offset: i64) -> Result<i64> {
        let segments = self.load();
        let holding = segments.get(Self::index_of(&segments, offset));
        let found = holding.map_or(Ok(None), |segment| segment.locate(offset))?;
        Ok(found.map_or(offset, |found| found.header.base_offset.min(offset)))
    }

    /// Cuts off the batch that holds `offset` and all behind it.
    pub fn cut(&self, offset: i64) -> Result<()> {
        let all = self.load_full();
        let kept = all.partition_point(|segment| segment.base_offset() <= offset);
        let (kept, dropped) = all.split_at(kept.max(1));
        self.set(kept.to_vec());
        dropped.iter().try_for_each(|segment| segment.remove())?;
        let Some(active) = kept.last() else {
            return Ok(());
        };
        match active.locate(offset)? {
            Some(found) => active.truncate(found.position, found.header.base_offset.min(offset)),
            None => Ok(()),
        }
    }

    /// All follow their folder to its new name.
    pub fn moved_to(&self, dir: &Path) {
        self.load().iter().for_each(|segment| segment.moved_to(dir));
    }
}
