import Kite

/// A call by its name in `docs/api.txt`, with its arguments by their names there. Gives nothing where the call does.
extension Wallet {
    func call(_ name: String, _ with: Json) async throws -> Json {
        switch name {
        case "balance": return plain(try await balance())
        case "closeChannel": try await closeChannel(id: with.text("id"))
        case "connectPeer": try await connectPeer(nodeId: with.text("nodeId"), address: with.text("address"))
        case "disconnectPeer": try await disconnectPeer(nodeId: with.text("nodeId"))
        case "estimateOpenChannel": return plain(try await estimateOpenChannel(request: OpenChannelRequest(with["request"])))
        case "fees": return plain(try await fees())
        case "forceCloseChannel": try await forceCloseChannel(id: with.text("id"))
        case "getPayment": return plain(try await getPayment(id: with.text("id")))
        case "info": return plain(try await info())
        case "listChannels": return plain(try await listChannels())
        case "listPayments": return plain(try await listPayments(filter: PaymentFilter(with["filter"])))
        case "listPeers": return plain(try await listPeers())
        case "makeInvoice": return plain(try await makeInvoice(request: InvoiceRequest(with["request"])))
        case "mnemonic": return plain(try await mnemonic(passphrase: with.text("passphrase")))
        case "mnemonicWithDeviceKey": return plain(try await mnemonicWithDeviceKey(deviceKey: with.text("deviceKey")))
        case "newAddress": return plain(try await newAddress())
        case "openChannel": return plain(try await openChannel(request: OpenChannelRequest(with["request"])))
        case "parse": return plain(try parse(text: with.text("text")))
        case "prepareSend": return plain(try await prepareSend(request: SendRequest(with["request"])))
        case "refresh": try await refresh()
        case "safeToClose": return plain(try await safeToClose())
        case "send": return plain(try await send(quote: Quote(with["quote"])))
        case "sendOnchain": return plain(try await sendOnchain(request: OnchainRequest(with["request"])))
        case "start": try await start()
        case "stop": await stop()
        case "waitPayment":
            return plain(try await waitPayment(id: with.text("id"), timeoutSecs: with.number("timeoutSecs")))
        default: throw Missing(description: "no call is named \(name)")
        }
        return .null
    }
}

extension OpenChannelRequest {
    fileprivate init(_ json: Json) throws {
        try self.init(
            nodeId: json.text("nodeId"), amountSat: json.number("amountSat"),
            feerateSatPerVb: json.optionalNumber("feerateSatPerVb"))
    }
}

extension PaymentFilter {
    fileprivate init(_ json: Json) throws {
        let direction: Direction? = switch json["direction"] {
        case .null: nil
        case .text("incoming"): .incoming
        case .text("outgoing"): .outgoing
        default: throw Missing(description: "no direction in \(json)")
        }
        try self.init(direction: direction, limit: json.number("limit"), beforeSecs: json.optionalNumber("beforeSecs"))
    }
}

extension InvoiceRequest {
    fileprivate init(_ json: Json) throws {
        try self.init(
            amountMsat: json.optionalNumber("amountMsat"), description: json.text("description"),
            expirySecs: json.optionalNumber("expirySecs"))
    }
}

extension SendRequest {
    fileprivate init(_ json: Json) throws {
        try self.init(
            input: json.text("input"), amountMsat: json.optionalNumber("amountMsat"),
            maxFeeMsat: json.optionalNumber("maxFeeMsat"), timeoutSecs: json.optionalNumber("timeoutSecs"),
            idempotencyKey: json.optionalText("idempotencyKey"), note: json.optionalText("note"))
    }
}

extension OnchainRequest {
    fileprivate init(_ json: Json) throws {
        try self.init(
            address: json.text("address"), amountSat: json.optionalNumber("amountSat"),
            feerateSatPerVb: json.optionalNumber("feerateSatPerVb"), idempotencyKey: json.optionalText("idempotencyKey"))
    }
}

extension Quote {
    /// Of what the wallet said: a variable holds it as JSON.
    fileprivate init(_ json: Json) throws {
        try self.init(
            input: json.text("input"), kind: json["kind"] == plain(QuoteKind.onchain) ? .onchain : .lightning,
            amountMsat: json.number("amountMsat"), feeEstimateMsat: json.number("feeEstimateMsat"),
            maxFeeMsat: json.number("maxFeeMsat"), minAmountMsat: json.number("minAmountMsat"),
            maxAmountMsat: json.number("maxAmountMsat"), description: json.optionalText("description"),
            payee: json.optionalText("payee"), expiresAtSecs: json.optionalNumber("expiresAtSecs"),
            hops: json.optionalNumber("hops"), paymentHash: json.optionalText("paymentHash"),
            idempotencyKey: json.text("idempotencyKey"), timeoutSecs: json.number("timeoutSecs"),
            note: json.optionalText("note"))
    }
}
