import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.compose)
}

android {
    namespace = "kite.app"
    compileSdk = 36

    defaultConfig {
        applicationId = "org.example.kite"
        minSdk = 24
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }

    buildTypes {
        release {
            isMinifyEnabled = true
            isShrinkResources = true
            proguardFiles(getDefaultProguardFile("proguard-android-optimize.txt"))
        }
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    // The tests of the screens (src/desktopTest) are drawn by Compose for desktops: `cargo xtask test kotlin` runs them.
    sourceSets.getByName("test").kotlin.directories += "../wallet/src/testing/kotlin"

    testOptions.unitTests.all { test ->
        val built = System.getenv("KITE_NATIVE") ?: rootDir.resolve("../target/debug").path
        test.systemProperty("jna.library.path", built)
        test.systemProperty("kite.devnet", "$built/kite-devnet")
    }
}

kotlin {
    compilerOptions {
        jvmTarget = JvmTarget.JVM_17
    }
}

dependencies {
    implementation(project(":wallet"))
    implementation(libs.activity.compose)
    implementation(libs.compose.foundation)
    implementation(libs.compose.material3)
    implementation(libs.compose.ui)
    implementation(libs.zxing)

    testImplementation(libs.jna)
    testImplementation(libs.junit)
    testImplementation(libs.json)
}
