buildscript {
    dependencies {
        // Android's plugin brings an older Kotlin; the newest one on this path is used.
        classpath(libs.kotlin.gradle)
    }
}

plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.compose) apply false
}
