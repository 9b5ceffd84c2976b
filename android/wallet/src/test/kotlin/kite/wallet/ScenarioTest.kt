package kite.wallet

import java.io.File
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.ClassRule
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The scenarios on the JVM: see scenarios/README.md. */
class ScenarioTest {
    @get:Rule
    val folder = TemporaryFolder()

    @Test
    fun aWalletLivesThroughAllScenariosAndEachLogIsTheSharedOne() = test(300) {
        val scenarios = File(checkNotNull(System.getProperty("kite.scenarios")) { "where are the scenarios?" })
        val files = scenarios.listFiles { file -> file.extension == "json" }.orEmpty()
        assertTrue("${files.size}", files.size > 5)
        val life = ScenarioLife(world, folder.root, scenarios.resolve("varying.txt").readLines())
        for (file in files.sortedBy { it.name.substringBefore('-').toInt() }) {
            val log = life.live(JSONObject(file.readText()).toMap())
            assertEquals(file.name, scenarios.resolve("${file.nameWithoutExtension}.log").readText(), log)
        }
    }

    companion object {
        @ClassRule
        @JvmField
        internal val world = World()
    }
}
