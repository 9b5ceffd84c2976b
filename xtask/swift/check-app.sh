#!/bin/sh
# Type-checks what only a Mac can build, against declarations of what it uses of Apple's frameworks.
# Usage: check-app.sh FOLDER-OF-THE-PACKAGE FOLDER-FOR-MODULES
set -eu
app=$1/App
modules=$2
rm -rf "$modules"
mkdir -p "$modules"

# Each may use those before it.
for framework in CoreImage SwiftUI UIKit AVFoundation LocalAuthentication UserNotifications Security; do
    swiftc -emit-module -parse-as-library -module-name "$framework" -I "$modules" \
        -o "$modules/$framework.swiftmodule" "$app/Declarations/$framework.swift"
done
swiftc -emit-module -parse-as-library -swift-version 6 -warnings-as-errors -module-name Kite -I "$modules" \
    -I "$1/Sources/KiteFFI" -o "$modules/Kite.swiftmodule" "$1"/Sources/Kite/*.swift "$1"/Sources/Kite/Generated/*.swift

check() {
    name=$1
    shift
    swiftc -typecheck -parse-as-library -swift-version 5 -warnings-as-errors -module-name "$name" -I "$modules" \
        -I "$package/Sources/KiteFFI" "$app/Declarations/Foundation.swift" "$app"/Shared/*.swift "$@"
    echo "$name: type-checked"
}
package=$1
check KiteApp "$app"/Model/*.swift "$app"/Views/*.swift
check NotificationService "$app"/NotificationService/*.swift \
    "$app/Model/Amounts.swift" "$app/Model/Explanation.swift" "$app/Model/Installation.swift"
