//! Work that may wait for the disk, or take long: off the threads that serve requests.

use super::Dice;
use super::time::sleep;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Who does such work. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Jobs(Kind);

#[derive(Debug, Clone)]
enum Kind {
    /// Threads of the runtime that may block.
    Pool(Arc<Running>),
    /// Whoever asks, after a while.
    Inline(Dice, Arc<AtomicI32>),
}

impl Default for Kind {
    fn default() -> Self {
        Kind::Pool(Arc::default())
    }
}

/// How many pieces of work are begun and not done.
#[derive(Debug, Default)]
struct Running {
    count: AtomicUsize,
    done: Notify,
}

impl Running {
    fn begin(self: &Arc<Self>) -> Begun {
        self.count.fetch_add(1, Ordering::AcqRel);
        Begun(Arc::clone(self))
    }
}

/// A piece of work, until it is done, or will never be.
struct Begun(Arc<Running>);

impl Drop for Begun {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.done.notify_waiters();
        }
    }
}

/// Work that was not done to its end: it panicked, or the runtime ended before it began.
pub struct JobFailed(Option<Box<dyn Any + Send>>);

impl JobFailed {
    /// Goes on with the panic that ended the work, if one did.
    pub fn resume(self) -> Self {
        match self.0 {
            Some(panic) => resume_unwind(panic),
            None => self,
        }
    }
}

impl fmt::Display for JobFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Some(_) => "it panicked",
            None => "the node was stopped before",
        })
    }
}

impl fmt::Debug for JobFailed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JobFailed({self})")
    }
}

impl Jobs {
    /// Work is done where it is asked for, at once, or after as many milliseconds as the dice say, at most `longest`: what
    /// that is can be changed while it runs.
    pub fn inline(dice: Dice, longest: Arc<AtomicI32>) -> Self {
        Jobs(Kind::Inline(dice, longest))
    }

    /// Has work done, and waits for it. Who gives up waiting does not stop it once it has begun.
    ///
    /// # Errors
    /// [`JobFailed`] when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobFailed> {
        match &self.0 {
            Kind::Pool(running) => {
                let begun = running.begin();
                let work = move || {
                    let _begun = begun;
                    work()
                };
                tokio::task::spawn_blocking(work)
                    .await
                    .map_err(|error| JobFailed(error.try_into_panic().ok()))
            }
            Kind::Inline(dice, longest) => {
                let longest = longest.load(Ordering::Relaxed);
                if longest > 0 {
                    let wait = u64::try_from(dice.number(0..=longest)).unwrap_or(0);
                    sleep(Duration::from_millis(wait)).await;
                }
                catch_unwind(AssertUnwindSafe(work)).map_err(|panic| JobFailed(Some(panic)))
            }
        }
    }

    /// Has work done without waiting for it: by whoever asks where nobody else can.
    pub fn start(&self, work: impl FnOnce() + Send + 'static) {
        match (&self.0, tokio::runtime::Handle::try_current()) {
            (Kind::Pool(running), Ok(runtime)) => {
                let begun = running.begin();
                drop(runtime.spawn_blocking(move || {
                    let _begun = begun;
                    work();
                }));
            }
            _ => work(),
        }
    }

    /// Waits until all work is done that has begun, whoever waits for it.
    pub async fn idle(&self) {
        let Kind::Pool(running) = &self.0 else {
            return;
        };
        loop {
            let done = running.done.notified();
            if running.count.load(Ordering::Acquire) == 0 {
                return;
            }
            done.await;
        }
    }

    /// Works on items, in their order of outcomes; several at a time where there are more than `least` for each processor.
    /// `lost` stands for those whose work panicked.
    pub fn on_each<I: Sync, T: Send>(
        &self,
        items: &[I],
        least: usize,
        work: impl Fn(&I) -> T + Sync,
        lost: impl Fn() -> T,
    ) -> Vec<T> {
        let all = |part: &[I]| part.iter().map(&work).collect::<Vec<T>>();
        let threads = match self.0 {
            Kind::Pool(_) => std::thread::available_parallelism().map_or(1, usize::from),
            Kind::Inline(..) => 1,
        };
        let share = items.len().div_ceil(threads).max(least);
        if share >= items.len() {
            return all(items);
        }
        std::thread::scope(|scope| {
            let all = &all;
            let parts: Vec<_> = items
                .chunks(share)
                .map(|part| (part.len(), scope.spawn(move || all(part))))
                .collect();
            let joined = parts.into_iter().flat_map(|(length, thread)| {
                let lost = || (0..length).map(|_| lost()).collect();
                thread.join().unwrap_or_else(|_| lost())
            });
            joined.collect()
        })
    }
}

/// Whether the one who asks is being ended by a panic.
pub fn panics_now() -> bool {
    std::thread::panicking()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_wherever_the_work_is_done() {
        for jobs in [
            Jobs::default(),
            Jobs::inline(Dice::seeded(1), Arc::new(AtomicI32::new(2))),
        ] {
            assert_eq!(jobs.run(|| 7).await.unwrap(), 7);
            let failed = jobs.run(|| -> i32 { panic!("a mistake") }).await.unwrap_err();
            assert_eq!(failed.to_string(), "it panicked");
        }
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_done_before_they_are_idle() {
        let jobs = Jobs::default();
        let done = Arc::new(AtomicI32::new(0));
        for _ in 0..5 {
            let done = Arc::clone(&done);
            jobs.start(move || {
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        jobs.idle().await;
        assert_eq!(done.load(Ordering::Relaxed), 5);
        jobs.idle().await;
    }

    #[test]
    fn outcomes_keep_the_order_of_the_items() {
        let items: Vec<i32> = (0..100).collect();
        let doubled = Jobs::default().on_each(&items, 2, |item| item * 2, || -1);
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
    }
}
