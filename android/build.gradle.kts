buildscript {
    dependencies {
        // Android's plugin brings an older Kotlin; the newest one on this path is used.
        classpath(libs.kotlin.gradle)
    }
}

plugins {
    alias(libs.plugins.android.library) apply false
}
