package kite.app.platform

import android.app.Application
import kite.app.model.Installation
import kite.app.model.MAINNET
import kite.app.model.WalletModel
import kite.wallet.KeystoreKey
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob

/** The app as a process: its wallet lives as long. */
class KiteApplication : Application() {
    internal val owner by lazy { DeviceOwner(this) }

    /** The one wallet, for every activity there may be. */
    val wallet: WalletModel by lazy {
        // Out of backups: the Keystore's key stays here, and an old copy of channels must never be used.
        val installation = Installation(noBackupFilesDir, CHAIN_SERVERS) { name -> KeystoreKey(name) }
        val remembered = Remembered(getSharedPreferences("kite", MODE_PRIVATE))
        WalletModel(installation, owner, remembered, CoroutineScope(SupervisorJob() + Dispatchers.Default))
    }

    private companion object {
        /** The first is for trying out: an emulator reaches `kite-devnet` of its own machine there. */
        val CHAIN_SERVERS = mapOf(
            "regtest" to "http://10.0.2.2:3002",
            "signet" to "https://mempool.space/signet/api",
            MAINNET to "https://mempool.space/api",
        )
    }
}
