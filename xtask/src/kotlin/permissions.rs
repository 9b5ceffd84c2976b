//! The manifests name every permission that the code needs: one that lacks is an exception on a phone, and nothing elsewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::places;

const SOURCES: [&str; 2] = ["android/app/src/main", "android/wallet/src/main"];

/// What of Android needs a permission.
const NEEDED: &[(&str, &str)] = &[
    ("android.hardware.biometrics.BiometricPrompt", "USE_BIOMETRIC"),
    ("android.hardware.camera2.CameraManager", "CAMERA"),
];
/// What the native library needs.
const NATIVE: &str = "INTERNET";
/// What of Android needs none. A class that is in neither list fails the test: look it up in Android's reference.
const FREE: &[&str] = &[
    "android.Manifest.permission",
    "android.annotation",
    "android.app.Activity",
    "android.app.Application",
    "android.app.KeyguardManager",
    "android.content.ClipData",
    "android.content.ClipboardManager",
    "android.content.Context",
    "android.content.Intent",
    "android.content.SharedPreferences",
    "android.content.pm.PackageManager.PERMISSION_GRANTED",
    "android.graphics",
    "android.hardware.biometrics.BiometricManager.Authenticators",
    "android.hardware.camera2.CameraAccessException",
    "android.hardware.camera2.CameraCaptureSession",
    "android.hardware.camera2.CameraCharacteristics",
    "android.hardware.camera2.CameraDevice",
    "android.hardware.camera2.CaptureRequest",
    "android.media.ImageReader",
    "android.os.Build",
    "android.os.Bundle",
    "android.os.CancellationSignal",
    "android.os.Handler",
    "android.os.HandlerThread",
    "android.security.keystore",
    "android.util.Size",
    "android.view",
];

#[test]
fn the_manifests_name_every_permission_that_the_code_needs_and_no_other() {
    let mut needed = BTreeSet::from([NATIVE]);
    let imports = imports();
    assert!(imports.len() > 20, "{imports:?}");
    for import in &imports {
        let of = |known: &str| {
            import.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match NEEDED.iter().find(|(known, _)| of(known)) {
            Some((_, permission)) => drop(needed.insert(permission)),
            None => assert!(FREE.iter().any(|known| of(known)), "does {import} need a permission?"),
        }
    }
    let manifests = SOURCES.map(|folder| {
        fs::read_to_string(places::root().join(folder).join("AndroidManifest.xml")).expect("a manifest")
    });
    let named: BTreeSet<&str> = manifests
        .iter()
        .flat_map(|text| text.split("<uses-permission android:name=\"android.permission.").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(named, needed, "what the manifests name, and what the code needs");
}

/// What the sources import of Android itself.
fn imports() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = SOURCES.iter().map(|folder| places::root().join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                // What is generated is of the native library, and has nothing of Android.
                if !path.ends_with("generated") {
                    folders.push(path);
                }
            } else if path.extension() == Some(Path::new("kt").as_os_str()) {
                let text = fs::read_to_string(&path).expect("source files are text");
                let lines = text.lines().filter_map(|line| line.strip_prefix("import android."));
                found.extend(lines.map(|rest| format!("android.{}", rest.split(' ').next().unwrap_or(rest))));
            }
        }
    }
    found
}
