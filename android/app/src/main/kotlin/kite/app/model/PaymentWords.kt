package kite.app.model

import kite.wallet.Direction
import kite.wallet.Payment
import kite.wallet.PaymentKind
import kite.wallet.PaymentStatus

/** Whether it comes in. */
val Payment.isIncoming: Boolean get() = direction == Direction.INCOMING

/** What goes into a channel or comes back out of it stays the owner's: the total is the same. */
val Payment.onlyMoves: Boolean get() = kind == PaymentKind.CHANNEL_OPEN || kind == PaymentKind.CHANNEL_CLOSE

/** What kind it is, in a word or two. */
val Payment.kindText: String
    get() = when (kind) {
        PaymentKind.LIGHTNING -> when (status) {
            PaymentStatus.SUCCEEDED -> if (isIncoming) "Received" else "Paid"
            else -> if (isIncoming) "Invoice" else "Payment"
        }
        PaymentKind.ONCHAIN -> if (isIncoming) "Received on-chain" else "Sent on-chain"
        PaymentKind.CHANNEL_OPEN -> "Channel opened"
        PaymentKind.CHANNEL_CLOSE ->
            if (status == PaymentStatus.SUCCEEDED) "Channel closed" else "Channel closing"
    }

/** How it stands. */
val Payment.statusText: String
    get() = when (status) {
        PaymentStatus.PENDING -> when {
            kind != PaymentKind.LIGHTNING -> "Waiting for a block"
            isIncoming -> "Waiting to be paid"
            else -> "Getting ready"
        }
        PaymentStatus.IN_FLIGHT -> when {
            kind != PaymentKind.LIGHTNING -> "Coming back"
            isIncoming -> "Arriving"
            else -> "On its way"
        }
        PaymentStatus.SUCCEEDED -> "Done"
        PaymentStatus.FAILED -> "Failed"
        PaymentStatus.EXPIRED -> "Expired"
    }

/** The words over everything about it. */
val Payment.headline: String
    get() = when {
        kind != PaymentKind.LIGHTNING -> kindText
        status == PaymentStatus.SUCCEEDED -> kindText
        status == PaymentStatus.FAILED -> "Not paid"
        else -> statusText
    }

/** What the owner or the payee called it, or else its kind. */
val Payment.title: String
    get() = if (onlyMoves) kindText else listOfNotNull(note, description, kindText).first { it.isNotEmpty() }

/** What a line of the history says before the time; empty where the title says it all. */
val Payment.about: String
    get() = when {
        status != PaymentStatus.SUCCEEDED -> statusText
        kind == PaymentKind.CHANNEL_OPEN -> "Still yours"
        kind == PaymentKind.CHANNEL_CLOSE -> "Back on-chain"
        title == kindText -> ""
        else -> kindText
    }

/** The amount; with its sign where it changes the total, now or soon. */
val Payment.amountText: String
    get() {
        val waits = kind == PaymentKind.LIGHTNING &&
            status != PaymentStatus.SUCCEEDED && status != PaymentStatus.IN_FLIGHT
        val sign = if (waits || onlyMoves) "" else if (isIncoming) "+" else "\u2212"
        return sign + Amounts.ofMsat(amountMsat)
    }
