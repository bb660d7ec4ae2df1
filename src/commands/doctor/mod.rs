//! `velo doctor`: what is odd on this machine and on the cluster, and what to type about it.

mod cluster;
mod machine;

use super::{Address, Context};
use crate::failure::{Failure, Kind, Outcome};
use crate::kafka::Admin;
use crate::ui::table::{Grid, text};
use crate::ui::units::counted;
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but will surprise.
    Warn,
    /// Does not work.
    Bad,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Finding {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            hint: None,
        }
    }

    fn warn(check: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Finding {
            check,
            verdict: Verdict::Warn,
            found: found.into(),
            hint: Some(hint.into()),
        }
    }

    fn bad(check: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Finding {
            verdict: Verdict::Bad,
            ..Self::warn(check, found, hint)
        }
    }
}

/// Looks at everything and prints it; what is bad makes the command fail.
///
/// # Errors
/// When something does not work, after all was looked at.
pub fn run(context: &Context) -> Outcome {
    let mut findings = machine::look(context)?;
    findings.push(cluster::address(context));
    findings.extend(cluster::ports(context)?);
    match Admin::connect(&context.connection) {
        Ok(admin) => findings.extend(cluster::look(&admin)),
        // Told by the finding on the address.
        Err(_) if context.address == Address::Undecided => {}
        Err(failure) => {
            let failure = context.advise(failure);
            let hint = failure
                .hints()
                .first()
                .map_or("velo cluster logs", String::as_str);
            let found = failure.why().filter(|_| failure.kind() == Kind::Denied);
            findings.push(Finding::bad("cluster", found.unwrap_or(failure.what()), hint));
        }
    }
    context.ui.show(&findings, || grid(&findings))?;
    let bad = findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Bad)
        .count();
    if bad == 0 {
        return Ok(());
    }
    Err(Failure::request(counted(
        bad,
        "thing does not work",
        "things do not work",
    )))
}

fn grid(findings: &[Finding]) -> Grid {
    let mut grid = Grid::new([text("CHECK"), text("VERDICT"), text("FOUND")]);
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Bad => "BAD",
        };
        grid.row([
            finding.check.to_owned(),
            verdict.to_owned(),
            finding.found.clone(),
        ]);
        if let Some(hint) = &finding.hint {
            grid.row([String::new(), String::new(), format!("hint: {hint}")]);
        }
    }
    grid
}
