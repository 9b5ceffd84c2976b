package kite.app.model

/** Asks the person to show who they are: by finger, by face or by the code of the device. */
fun interface Authenticator {
    /** Whether it is they. False, too, if they turned away. The reason is shown to them. */
    suspend fun authenticate(reason: String): Boolean
}
