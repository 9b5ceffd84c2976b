package kite.app.model

/** Asks the person to show who they are: by finger, by face or by the code of the device. */
interface Authenticator {
    /** Whether this device can tell: without a code of its own it knows nobody. */
    fun canTell(): Boolean

    /**
     * Whether it is they; one question at a time. False, too, if they turned away. On a device that cannot tell, whoever holds
     * it is its owner. A device that refuses to ask may throw whatever it likes.
     *
     * @param reason shown to them.
     */
    suspend fun authenticate(reason: String): Boolean
}
