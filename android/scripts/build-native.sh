#!/bin/sh
# Builds the library for phones and generates the Kotlin that belongs to it. Needs cargo-ndk, the Android NDK
# (ANDROID_NDK_HOME) and: rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
set -eu
cd "$(dirname "$0")/../.."
main=android/wallet/src/main

# 16 KiB pages: Android 15 and later may have them.
export RUSTFLAGS="${RUSTFLAGS:-} -C link-arg=-Wl,-z,max-page-size=16384"
cargo ndk -P 24 -t arm64-v8a -t armeabi-v7a -t x86_64 -o "$main/jniLibs" \
    build --locked --profile mobile --package kite-uniffi --features small-tables --lib
unset RUSTFLAGS

# The metadata that bindings are made of is in the symbols, which a library that ships has not.
cargo build --locked --package kite-uniffi --lib
target="${CARGO_TARGET_DIR:-target}"
for library in "$target/debug/libkite_uniffi.so" "$target/debug/libkite_uniffi.dylib"; do
    if [ -f "$library" ]; then
        rm -rf android/wallet/src/generated
        cargo run --quiet --locked --package kite-ffi -- generate --language kotlin --no-format \
            --config android/uniffi.toml --library "$library" --out-dir android/wallet/src/generated/kotlin
        exit 0
    fi
done
echo "cargo made no libkite_uniffi in $target/debug" >&2
exit 1
