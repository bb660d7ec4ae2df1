//! The little scripts in `scripts/` and `scripts/windows/` of a checkout: each runs `velo` by its own name. They are
//! written from the table of scripts; a test sees that none is missing or stale.

/// A script for Unix shells.
pub fn shell(name: &str) -> String {
    format!(
        r#"#!/bin/sh
# Runs `velo {name}`: the velo on PATH, else the one built in this checkout.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for velo in "$(command -v velo)" "$here/../target/release/velo" "$here/../target/debug/velo"; do
    if [ -n "$velo" ] && [ -x "$velo" ]; then
        exec "$velo" {name} "$@"
    fi
done
echo "velo is neither on PATH nor built in $here/../target" >&2
echo "hint: cargo build --release" >&2
exit 127
"#
    )
}

/// A script for Windows.
pub fn batch(name: &str) -> String {
    let lines = [
        "@echo off".to_owned(),
        format!("rem Runs velo {name}: the velo on PATH, else the one built in this checkout."),
        "setlocal".to_owned(),
        "set \"VELO=velo\"".to_owned(),
        "where velo >nul 2>nul && goto run".to_owned(),
        "set \"VELO=%~dp0..\\..\\target\\release\\velo.exe\"".to_owned(),
        "if exist \"%VELO%\" goto run".to_owned(),
        "set \"VELO=%~dp0..\\..\\target\\debug\\velo.exe\"".to_owned(),
        "if exist \"%VELO%\" goto run".to_owned(),
        "echo velo is neither on PATH nor built in %~dp0..\\..\\target 1>&2".to_owned(),
        "echo hint: cargo build --release 1>&2".to_owned(),
        "exit /b 127".to_owned(),
        ":run".to_owned(),
        format!("\"%VELO%\" {name} %*"),
        "exit /b %ERRORLEVEL%".to_owned(),
    ];
    lines.map(|line| line + "\r\n").concat()
}
