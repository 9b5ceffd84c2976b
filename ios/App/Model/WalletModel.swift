import Foundation
import Kite
import Observation

/// Asks the person to show who they are, with the face, a finger or the code of the device.
protocol Authenticator: Sendable {
    /// Whether it is they. False, too, if they turned away.
    func authenticate(reason: String) async -> Bool
}

/// Everything the screens show, as of the last refresh.
struct Snapshot: Equatable, Sendable {
    let info: Info
    let balance: Balance
    let channels: [Channel]
    let payments: [Payment]
}

/// The wallet of the app, from the first start on. It runs while the app is in front: the system takes a process away that
/// sleeps with a file locked, and in the background the notification extension opens the wallet.
@MainActor @Observable
final class WalletModel {
    enum Phase: Equatable {
        case starting
        case onboarding
        case running
        /// The wallet was stopped, or cannot be opened.
        case halted(Explanation)
    }

    private(set) var phase = Phase.starting
    /// Nothing of the wallet is shown until the person was recognised.
    private(set) var isLocked: Bool
    private(set) var snapshot: Snapshot?
    private(set) var notices: [Notice] = []
    var asksWhoIsThere: Bool {
        didSet { settings.set(asksWhoIsThere, forKey: Self.asksKey) }
    }
    var hasConfirmedWords: Bool {
        didSet { settings.set(hasConfirmedWords, forKey: Self.wordsKey) }
    }

    let installation: Installation
    private static let asksKey = "asks-who-is-there"
    private static let wordsKey = "has-confirmed-words"
    private static let recentPayments: UInt32 = 200
    private static let refreshPause = Duration.seconds(2)
    /// The extension may be receiving a payment when the app comes to the front.
    private static let openTries = 100
    private let authenticator: any Authenticator
    private let settings: UserDefaults
    /// Payments that were begun and whose outcome nobody was told yet, by what was typed: the name of each, under which nothing
    /// is paid twice. They are kept here because the screen that began one may have gone.
    @ObservationIgnored var unsettled: [String: String] = [:]
    @ObservationIgnored private var wallet: Wallet?
    @ObservationIgnored private var following: [Task<Void, Never>] = []
    /// One thing at a time: the app may come to the front while it is still leaving it.
    @ObservationIgnored private var turn = Task<Void, Never> {}

    init(installation: Installation, authenticator: any Authenticator, settings: UserDefaults = .standard) {
        self.installation = installation
        self.authenticator = authenticator
        self.settings = settings
        asksWhoIsThere = settings.bool(forKey: Self.asksKey)
        hasConfirmedWords = settings.bool(forKey: Self.wordsKey)
        isLocked = settings.bool(forKey: Self.asksKey)
    }

    // MARK: the app comes and goes

    /// The app is in front: opens the wallet that is there.
    func comeToFront() async {
        await inTurn {
            guard self.wallet == nil, self.phase != .onboarding else { return }
            await self.attemptToRun {
                guard try await walletExists(config: self.installation.config) else { return nil }
                return try await self.openPatiently()
            }
        }
    }

    /// The app is behind others, or locked: the wallet is stopped, and nothing of it is shown.
    func leaveFront() async {
        isLocked = asksWhoIsThere
        await inTurn { await self.stop() }
    }

    /// Asks the person to show who they are.
    func unlock() async {
        guard isLocked else { return }
        if await authenticator.authenticate(reason: "Show your wallet") { isLocked = false }
    }

    /// Switches the question on or off, for somebody who can answer it.
    func ask(_ asks: Bool) async {
        if await authenticator.authenticate(reason: asks ? "Lock the wallet" : "Unlock the wallet for good") { asksWhoIsThere = asks }
    }

    // MARK: a wallet is made

    /// Makes a wallet; with words, the one that they bring back.
    func create(words: String? = nil) async throws {
        let cleaned = words.map { $0.lowercased().split { !$0.isLetter }.joined(separator: " ") }
        if let cleaned { try checkMnemonic(words: cleaned) }
        let key = try installation.deviceKey.findOrMake()
        hasConfirmedWords = cleaned != nil
        await inTurn {
            await self.attemptToRun {
                try await Wallet.createWithDeviceKey(config: self.installation.config, deviceKey: key, mnemonic: cleaned)
            }
        }
    }

    /// The words, for somebody who is who they should be.
    func words() async throws -> [String] {
        guard await authenticator.authenticate(reason: "Show the 12 words") else { return [] }
        let key = try installation.deviceKey.find()
        return try await open().mnemonicWithDeviceKey(deviceKey: key).split(separator: " ").map(String.init)
    }

    // MARK: what the screens ask for

    /// The wallet, which is open while the phase is `running`.
    func open() throws -> Wallet {
        guard let wallet else { throw WalletError.Stopped(reason: "the app was not in front") }
        return wallet
    }

    func refresh() async {
        guard let wallet else { return }
        do {
            let filter = PaymentFilter(limit: Self.recentPayments)
            snapshot = try await Snapshot(
                info: wallet.info(), balance: wallet.balance(), channels: wallet.listChannels(),
                payments: wallet.listPayments(filter: filter))
        } catch is CancellationError {
        } catch {
            await haltIfStopped(by: error)
        }
    }

    func dismiss(_ notice: Notice) {
        notices.removeAll { $0 == notice }
    }

    // MARK: inside

    private func inTurn(_ body: @escaping @MainActor () async -> Void) async {
        let before = turn
        turn = Task {
            await before.value
            await body()
        }
        await turn.value
    }

    private func attemptToRun(_ get: () async throws -> Wallet?) async {
        do {
            guard let wallet = try await get() else { return phase = .onboarding }
            self.wallet = wallet
            try await wallet.start()
            follow(wallet)
            phase = .running
            await refresh()
        } catch {
            await stop()
            phase = .halted(Explanation(error))
        }
    }

    private func openPatiently() async throws -> Wallet {
        let key = try installation.deviceKey.find()
        for _ in 1..<Self.openTries {
            do {
                return try await Wallet.openWithDeviceKey(config: installation.config, deviceKey: key)
            } catch WalletError.AlreadyOpen {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
        return try await Wallet.openWithDeviceKey(config: installation.config, deviceKey: key)
    }

    private func follow(_ wallet: Wallet) {
        following = [
            Task { [weak self] in
                do {
                    for try await told in wallet.events { await self?.take(told) }
                } catch is CancellationError {
                } catch {
                    await self?.haltIfStopped(by: error)
                }
            },
            Task { [weak self] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.refreshPause)
                    await self?.refresh()
                }
            },
        ]
    }

    private func take(_ told: EventEnvelope) async {
        if let notice = Notice(told) { notices.append(notice) }
        if case let .stopped(reason) = told.event, reason != "closed" {
            return await haltIfStopped(by: reason == "lease_lost" ? WalletError.LeaseLost : WalletError.StoreUnavailable(reason: reason))
        }
        await refresh()
    }

    private func haltIfStopped(by error: any Error) async {
        switch error {
        case WalletError.Stopped where wallet == nil: return
        case WalletError.Stopped, WalletError.LeaseLost, WalletError.StoreUnavailable: break
        default: return
        }
        await stop()
        phase = .halted(Explanation(error))
    }

    /// The wallet is let go first: what is asked from now on hears that it is not open.
    private func stop() async {
        let stopped = wallet
        wallet = nil
        following.forEach { $0.cancel() }
        following = []
        if phase == .running { phase = .starting }
        await stopped?.stop()
    }
}
