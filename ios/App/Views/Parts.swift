import SwiftUI

/// What happened, and what can be done now.
struct ExplanationView: View {
    private let explanation: Explanation

    init(_ explanation: Explanation) {
        self.explanation = explanation
    }

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(explanation.what).bold()
            Text(explanation.next)
        }
        .foregroundStyle(.red)
        .accessibilityElement(children: .combine)
    }
}

/// Short lines over the screen about what happened. A touch takes one away.
struct NoticesView: View {
    @Environment(WalletModel.self) private var wallet

    var body: some View {
        VStack {
            ForEach(wallet.notices.suffix(3)) { notice in
                Button(notice.text) { wallet.dismiss(notice) }
                    .buttonStyle(.bordered)
                    .tint(notice.tone == .bad ? .red : notice.tone == .good ? .green : .gray)
            }
        }
    }
}
