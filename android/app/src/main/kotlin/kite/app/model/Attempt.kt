package kite.app.model

import kotlinx.coroutines.CancellationException

/** Runs what a person asked for, and gives the words for its failure; null if it went well. */
internal suspend fun attempt(body: suspend () -> Unit): Explanation? =
    try {
        body()
        null
    } catch (cancelled: CancellationException) {
        throw cancelled
    } catch (error: Exception) {
        explain(error)
    }
