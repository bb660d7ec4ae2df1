//! A mailbox for the classroom: a mail server on this machine that shows every mail instead of delivering it.

use crate::failure::{Failure, Outcome};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// The longest line that is read; longer ones end the connection.
const LONGEST_LINE: u64 = 4_096;

/// The most lines of a mail that are kept.
const MOST_LINES: usize = 200;

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// A mail as it was handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// Whom it is for.
    pub to: Vec<String>,
    /// Headers, an empty line, text.
    pub lines: Vec<String>,
}

/// A mailbox that listens.
pub struct Mailbox {
    listener: TcpListener,
    address: SocketAddr,
}

impl Mailbox {
    /// Listens on 127.0.0.1; port 0 lets the system choose.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn open(port: u16) -> Outcome<Self> {
        let listened = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok((listener.local_addr()?, listener))
        });
        let (address, listener) = listened.map_err(|error| {
            Failure::request(format!("cannot listen on port {port}"))
                .because(error)
                .hint("velo lesson mailbox --port 2525")
        })?;
        Ok(Mailbox { listener, address })
    }

    /// Where mail programs find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes mails, one connection after the other, and hands each to `show`, until `over` says so.
    ///
    /// # Errors
    /// When `show` fails, or the system takes the port away.
    pub fn serve(&self, over: &dyn Fn() -> bool, show: &mut dyn FnMut(&Mail) -> Outcome) -> Outcome {
        while !over() {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    // A client that breaks off takes its own mail with it, nobody else's.
                    talk(&stream, show).unwrap_or(Ok(()))?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(error) => return Err(Failure::request("the mailbox cannot go on").because(error)),
            }
        }
        Ok(())
    }
}

/// One conversation in SMTP (RFC 5321), as much of it as mail programs need. A mail is shown before it is acknowledged:
/// who sent it may keep the connection for the next one.
fn talk(stream: &TcpStream, show: &mut dyn FnMut(&Mail) -> Outcome) -> io::Result<Outcome> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(SILENCE))?;
    let mut reader = BufReader::new(stream);
    let answer = |text: &str| (&*stream).write_all(format!("{text}\r\n").as_bytes());
    answer("220 mailbox ready")?;
    let mut mail = Mail::default();
    while let Some(line) = line(&mut reader)? {
        let verb = line.get(..4).unwrap_or(&line).to_ascii_uppercase();
        match verb.as_str() {
            "DATA" => {
                answer("354 go on, end with a dot")?;
                mail.lines = text(&mut reader)?;
                if let Err(failure) = show(&std::mem::take(&mut mail)) {
                    return Ok(Err(failure));
                }
                answer("250 taken")?;
            }
            "RCPT" => {
                let to = line.split_once(':').map_or("", |(_, to)| to.trim());
                mail.to.push(to.trim_matches(['<', '>']).to_owned());
                answer("250 ok")?;
            }
            "QUIT" => return answer("221 bye").map(Ok),
            _ => answer("250 ok")?,
        }
    }
    Ok(Ok(()))
}

fn line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = reader.take(LONGEST_LINE).read_until(b'\n', &mut bytes)?;
    if read == 0 || !bytes.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end().to_owned()))
}

fn text(reader: &mut impl BufRead) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        match line(reader)? {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(line) if line == "." => return Ok(lines),
            Some(line) if lines.len() < MOST_LINES => {
                lines.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned));
            }
            Some(_) => {}
        }
    }
}

impl Mail {
    /// Recipient, subject and text, as a reader wants to see them.
    pub fn shown(&self) -> Vec<String> {
        let mut shown = vec![format!("To: {}", self.to.join(", "))];
        let header_end = self
            .lines
            .iter()
            .position(String::is_empty)
            .unwrap_or(self.lines.len());
        let (headers, text) = self.lines.split_at(header_end);
        shown.extend(
            headers
                .iter()
                .filter(|line| line.starts_with("Subject:"))
                .cloned(),
        );
        shown.extend(text.iter().filter(|line| !line.is_empty()).cloned());
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_mail_is_shown_before_it_is_acknowledged() {
        let mailbox = Mailbox::open(0).unwrap();
        let mut stream = TcpStream::connect(mailbox.address()).unwrap();
        stream
            .write_all(b"RCPT TO:<c@d>\r\nDATA\r\n\r\nbye\r\n.\r\n")
            .unwrap();
        let failed = mailbox.serve(&|| false, &mut |_| Err(Failure::request("seen")));
        assert!(failed.unwrap_err().to_string().contains("seen"));
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.ends_with("354 go on, end with a dot\r\n"), "{said}");
    }

    #[test]
    fn a_mail_is_shown_with_recipient_subject_and_text() {
        let mailbox = Mailbox::open(0).unwrap();
        let address = mailbox.address();
        let client = std::thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            let words = "EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nFrom: a@b\r\nSubject: empty\r\n\r\n..dots\r\nbye\r\n.\r\nQUIT\r\n";
            stream.write_all(words.as_bytes()).unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            said
        });
        let done = AtomicBool::new(false);
        let mut seen = Vec::new();
        mailbox
            .serve(&|| done.load(Ordering::SeqCst), &mut |mail| {
                seen = mail.shown();
                done.store(true, Ordering::SeqCst);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, ["To: c@d", "Subject: empty", ".dots", "bye"]);
        assert!(client.join().unwrap().ends_with("221 bye\r\n"));
    }
}
