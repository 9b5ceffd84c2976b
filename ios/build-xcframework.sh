#!/bin/sh
# Builds KiteFFI.xcframework, which Package.swift takes on Apple's systems, and the Swift that belongs to it. Needs a Mac with
# Xcode 16 or newer, and: rustup target add aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin
set -eu
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"

# The oldest systems that Package.swift names.
export IPHONEOS_DEPLOYMENT_TARGET=17.0 MACOSX_DEPLOYMENT_TARGET=14.0
for platform in aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin; do
    cargo build --locked --profile mobile --package kite-uniffi --features small-tables --lib --target "$platform"
done
cargo xtask swift

made="$target/xcframework"
rm -rf "$made" ios/KiteFFI.xcframework
# A folder of the module's name: module maps of several frameworks would meet in one place.
mkdir -p "$made/simulator" "$made/include/KiteFFI"
cp ios/Sources/KiteFFI/KiteFFI.h ios/Sources/KiteFFI/module.modulemap "$made/include/KiteFFI"
lipo -create "$target/aarch64-apple-ios-sim/mobile/libkite_uniffi.a" "$target/x86_64-apple-ios/mobile/libkite_uniffi.a" \
    -output "$made/simulator/libkite_uniffi.a"
xcodebuild -create-xcframework -output ios/KiteFFI.xcframework \
    -library "$target/aarch64-apple-ios/mobile/libkite_uniffi.a" -headers "$made/include" \
    -library "$made/simulator/libkite_uniffi.a" -headers "$made/include" \
    -library "$target/aarch64-apple-darwin/mobile/libkite_uniffi.a" -headers "$made/include"
