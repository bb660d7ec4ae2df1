//! Enter, pressed by a person who looks on while a command works.

use std::io;
use std::time::Duration;

/// How often to look whether this process is in the terminal's foreground.
const LOOK: Duration = Duration::from_millis(200);

/// Calls `pressed` for each line that is typed on the terminal, from a thread of its own, for as long as the process lives.
pub fn on_enter(pressed: impl Fn() + Send + 'static) {
    std::thread::spawn(move || {
        let mut line = String::new();
        while is_typed() && io::stdin().read_line(&mut line).is_ok_and(|length| length > 0) {
            pressed();
            line.clear();
        }
    });
}

/// Waits until something is typed for this process; false when the terminal is gone. From the background (`velo … &`)
/// nothing is read: the system would stop the whole process for it.
#[cfg(unix)]
fn is_typed() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let moment = Timespec {
        tv_sec: 0,
        tv_nsec: LOOK.subsec_nanos().into(),
    };
    loop {
        let terminal = io::stdin();
        let mut typed = [PollFd::new(&terminal, PollFlags::IN)];
        match rustix::termios::tcgetpgrp(&terminal) {
            Err(_) => return false,
            Ok(front) if front != rustix::process::getpgrp() => std::thread::sleep(LOOK),
            Ok(_) => match poll(&mut typed, Some(&moment)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return true,
                Err(_) => return false,
            },
        }
    }
}

#[cfg(not(unix))]
fn is_typed() -> bool {
    true
}
