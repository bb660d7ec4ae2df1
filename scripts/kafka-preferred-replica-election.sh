#!/bin/sh
# Runs `velo kafka-preferred-replica-election`: the velo on PATH, else the one built in this checkout.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for velo in "$(command -v velo)" "$here/../target/release/velo" "$here/../target/debug/velo"; do
    if [ -n "$velo" ] && [ -x "$velo" ]; then
        exec "$velo" kafka-preferred-replica-election "$@"
    fi
done
echo "velo is neither on PATH nor built in $here/../target" >&2
echo "hint: cargo build --release" >&2
exit 127
