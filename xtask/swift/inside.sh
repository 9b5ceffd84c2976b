#!/bin/sh
# Runs a command in a root folder of its own that sees some folders of this machine under the paths they have here. Meant for
# `unshare --mount --pid --fork`, with which all that is mounted or runs is gone when the command ends.
# Usage: inside.sh ROOT FOLDER... -- COMMAND...
set -eu
root=$1
shift
# Swift finds its own libraries through it.
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    shift
done
shift
exec chroot "$root" "$@"
