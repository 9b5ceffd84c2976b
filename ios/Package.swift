// swift-tools-version: 6.0
import PackageDescription

// Apple's systems get the library as an XCFramework, which build-xcframework.sh makes. On Linux, where the tests run, it is a
// file that the linker is told of: `cargo xtask test swift`.
#if os(Linux)
let native: [Target] = [
    .systemLibrary(name: "KiteFFI", path: "Sources/KiteFFI"),
    // What a notification extension does, as a process whose memory Linux measures.
    .executableTarget(name: "receive-once", dependencies: ["Kite"]),
]
#else
let native: [Target] = [.binaryTarget(name: "KiteFFI", path: "KiteFFI.xcframework")]
#endif

let package = Package(
    name: "Kite",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "Kite", targets: ["Kite"]),
    ],
    targets: native + [
        .target(
            name: "Kite",
            dependencies: ["KiteFFI"],
            linkerSettings: [.linkedLibrary("kite_uniffi", .when(platforms: [.linux]))]
        ),
        // The part of the sample app that is no view.
        .target(name: "AppModel", dependencies: ["Kite"], path: "App/Model"),
        .testTarget(name: "KiteTests", dependencies: ["Kite"]),
        .testTarget(name: "AppModelTests", dependencies: ["AppModel"], path: "App/ModelTests"),
    ]
)
