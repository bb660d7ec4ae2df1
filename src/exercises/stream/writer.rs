//! The thread that writes stores to disk, beside the work.

use super::disk::{Open, Sheet};
use crate::failure::{Failure, Outcome};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Writes in the order in which it was told, and is told to end by being dropped: then what is left is written first.
pub(super) struct Writer {
    /// None only while it ends.
    jobs: Option<Sender<Vec<Sheet>>>,
    answers: Receiver<Outcome>,
    /// How many jobs have no answer yet.
    under_way: usize,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// One that writes to this file.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn on(file: Arc<Open>) -> io::Result<Self> {
        let (jobs, told) = channel::<Vec<Sheet>>();
        let (answer, answers) = channel();
        let write = move || {
            for sheets in told {
                // Nobody asks for the answer while the writer is being dropped.
                let _ = answer.send(file.write(sheets));
            }
        };
        let thread = std::thread::Builder::new()
            .name("stores".to_owned())
            .spawn(write)?;
        Ok(Writer {
            jobs: Some(jobs),
            answers,
            under_way: 0,
            thread: Some(thread),
        })
    }

    /// Has it write these.
    ///
    /// # Errors
    /// When the thread is gone.
    pub fn write(&mut self, sheets: Vec<Sheet>) -> Outcome {
        let told = self.jobs.as_ref().map(|jobs| jobs.send(sheets));
        if !matches!(told, Some(Ok(()))) {
            return Err(gone());
        }
        self.under_way += 1;
        Ok(())
    }

    /// Whether all is written.
    ///
    /// # Errors
    /// Why something is not.
    pub fn is_idle(&mut self) -> Outcome<bool> {
        while let Ok(answer) = self.answers.try_recv() {
            self.under_way -= 1;
            answer?;
        }
        Ok(self.under_way == 0)
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Why something is not.
    pub fn wait(&mut self) -> Outcome {
        while self.under_way > 0 {
            let answer = self.answers.recv().map_err(|_| gone());
            self.under_way -= 1;
            answer??;
        }
        Ok(())
    }
}

fn gone() -> Failure {
    Failure::request("the stores are not written any more").because("the thread that writes them has failed")
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // It has told by then why it has failed.
            let _ = thread.join();
        }
    }
}
