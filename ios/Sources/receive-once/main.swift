// What a notification extension does, as a process of its own: receives a payment and prints what came and what the kernel says
// of its memory. With no arguments it receives nothing, and prints what such a process takes as it is.
//
// Usage: receive-once [FOLDER ESPLORA-URL SECONDS]    (the device key on standard input)

import Foundation
import Kite

struct Report: Encodable {
    let version = Kite.version()
    var paymentIds: [String] = []
    var amountMsat: UInt64 = 0
    /// In KiB: the most that was ever resident, pages of the library's file among it.
    var mostResident = 0
    /// In KiB: the most that was resident and is in no file, which is what iOS counts.
    var mostAnonymous = 0
}

/// A line of `/proc/self/status`, in KiB.
func memory(_ name: String) -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("\(name):") } ?? ""
    return line.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int($0) } ?? 0
}

/// The kernel remembers the most that was resident, and not how much of it was in no file: that is looked at all the time.
let watching = Task.detached {
    var most = memory("RssAnon")
    while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(2))
        most = max(most, memory("RssAnon"))
    }
    return most
}

var report = Report()
if CommandLine.arguments.count == 4 {
    let words = CommandLine.arguments
    let config = WalletConfig(network: "regtest", data: words[1], esploraUrl: words[2])
    guard let key = readLine(), let seconds = Int(words[3]) else { fatalError("see the usage") }
    let received = try await Wallet.receive(config: config, deviceKey: key, within: .seconds(seconds))
    report.paymentIds = received.paymentIds
    report.amountMsat = received.amountMsat
}
watching.cancel()
report.mostAnonymous = await watching.value
report.mostResident = memory("VmHWM")
print(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
