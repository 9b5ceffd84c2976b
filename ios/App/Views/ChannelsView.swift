import Kite
import SwiftUI

/// The channels, and how to open and close them.
struct ChannelsView: View {
    @Environment(WalletModel.self) private var wallet
    @State private var isOpening = false

    var body: some View {
        NavigationStack {
            List {
                ForEach(wallet.snapshot?.channels ?? [], id: \.id) { channel in
                    NavigationLink {
                        ChannelView(wallet: wallet, channel: channel)
                    } label: {
                        LabeledContent(Amounts.text(sat: channel.capacitySat), value: channel.stateText)
                    }
                }
                if wallet.snapshot?.channels.isEmpty == true { Text("A channel lets you pay and be paid in an instant.") }
            }
            .navigationTitle("Channels")
            .toolbar {
                ToolbarItem(placement: .primaryAction) { Button("Open a channel", systemImage: "plus") { isOpening = true } }
            }
            .sheet(isPresented: $isOpening) { OpenChannelView(wallet: wallet) }
            .refreshable { await wallet.refresh() }
        }
    }
}

private struct ChannelView: View {
    @Environment(\.dismiss) private var dismiss
    @State private var channels: ChannelsModel
    @State private var isClosing = false
    let channel: Channel

    init(wallet: WalletModel, channel: Channel) {
        _channels = State(initialValue: ChannelsModel(wallet: wallet))
        self.channel = channel
    }

    var body: some View {
        Form {
            Section {
                LabeledContent("State", value: channel.stateText)
                LabeledContent("You can spend", value: Amounts.text(msat: channel.spendableMsat))
                LabeledContent("You can receive", value: Amounts.text(msat: channel.receivableMsat))
                LabeledContent("Kept until it closes", value: Amounts.text(sat: channel.reserveSat))
                if let reason = channel.closeReason { LabeledContent("Why it closes", value: reason) }
            }
            Section("Node") { Text(channel.nodeId).font(.caption.monospaced()).textSelection(.enabled) }
            if let failure = channels.failure { ExplanationView(failure) }
            if channel.state == .ready || channel.state == .pending {
                Button("Close the channel", role: .destructive) { isClosing = true }
            }
        }
        .navigationTitle("Channel")
        .confirmationDialog("Close this channel?", isPresented: $isClosing, titleVisibility: .visible) {
            Button("Close together with the other node") { close(alone: false) }
            Button("Close alone: slower and dearer", role: .destructive) { close(alone: true) }
        }
    }

    private func close(alone: Bool) {
        Task {
            await channels.close(channel, alone: alone)
            if channels.failure == nil { dismiss() }
        }
    }
}

private struct OpenChannelView: View {
    @Environment(\.dismiss) private var dismiss
    @State private var channels: ChannelsModel
    @State private var isScanning = false

    init(wallet: WalletModel) {
        _channels = State(initialValue: ChannelsModel(wallet: wallet))
    }

    var body: some View {
        NavigationStack {
            Form {
                Section {
                    Button("Scan a node", systemImage: "qrcode.viewfinder") { isScanning = true }
                    TextField("02ab…@host:port", text: $channels.node, axis: .vertical)
                        .textInputAutocapitalization(.never)
                        .autocorrectionDisabled()
                    TextField("Amount in sat", text: $channels.amount).keyboardType(.numberPad)
                }
                if let quote = channels.quote {
                    LabeledContent("Fee", value: Amounts.text(sat: quote.feeSat))
                    LabeledContent("Can be spent afterwards", value: Amounts.text(msat: quote.spendableAfterMsat))
                }
                Button("What does it cost?") { Task { await channels.estimate() } }
                Button("Open the channel") { Task { if await channels.openChannel() { dismiss() } } }
                if let failure = channels.failure { ExplanationView(failure) }
            }
            .disabled(channels.isBusy)
            .navigationTitle("Open a channel")
            .toolbar {
                ToolbarItem(placement: .cancellationAction) { Button("Cancel") { dismiss() } }
            }
            .sheet(isPresented: $isScanning) {
                ScannerView { text in
                    isScanning = false
                    channels.node = text
                }
            }
        }
    }
}
