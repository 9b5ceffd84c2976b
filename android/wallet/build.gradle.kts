import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.library)
}

android {
    namespace = "kite.wallet"
    compileSdk = 36
    ndkVersion = "28.2.13676358"

    defaultConfig {
        minSdk = 24
        consumerProguardFiles("consumer-rules.pro")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // scripts/build-native.sh writes both: this and src/main/jniLibs.
    sourceSets.getByName("main").kotlin.directories += "src/generated/kotlin"

    sourceSets.getByName("test").kotlin.directories += "../../docs/embed/snippets"
    // What the tests of the sample app use, too.
    sourceSets.getByName("test").kotlin.directories += "src/testing/kotlin"

    lint {
        // The generated code looks whether java.lang.ref.Cleaner is there before it uses it (docs/adr/0022).
        disable += "NewApi"
    }

    testOptions.unitTests.all { test ->
        // The library of this machine and the devnet, which `cargo build -p kite-uniffi -p kite-devnet` makes.
        val built = System.getenv("KITE_NATIVE") ?: rootDir.resolve("../target/debug").path
        test.systemProperty("jna.library.path", built)
        test.systemProperty("kite.devnet", "$built/kite-devnet")
        test.systemProperty("kite.scenarios", rootDir.resolve("../scenarios").path)
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    api(libs.coroutines)
    implementation(libs.jna) { artifact { type = "aar" } }

    testImplementation(libs.jna) // the jar, with the libraries of desktops
    testImplementation(libs.junit)
    testImplementation(libs.json)
}
