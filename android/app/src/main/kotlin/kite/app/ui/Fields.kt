package kite.app.ui

import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.CardColors
import androidx.compose.material3.CardDefaults
import androidx.compose.material3.LocalTextStyle
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.text.font.FontFamily
import androidx.compose.ui.text.input.ImeAction
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType

/** An amount in whole satoshi. */
@Composable
internal fun AmountField(label: String, value: String, hint: String?, change: (String) -> Unit) {
    OutlinedTextField(
        value, change, Modifier.fillMaxWidth(),
        label = { Text(label) },
        suffix = { Text("sat") },
        supportingText = hint?.let { { Text(it) } },
        keyboardOptions = KeyboardOptions(keyboardType = KeyboardType.Number, imeAction = ImeAction.Done),
        singleLine = true,
        shape = MaterialTheme.shapes.small,
    )
}

/** A text that people write. */
@Composable
internal fun TextField(label: String, value: String, hint: String?, change: (String) -> Unit) {
    OutlinedTextField(
        value, change, Modifier.fillMaxWidth(),
        label = { Text(label) },
        supportingText = hint?.let { { Text(it) } },
        singleLine = true,
        shape = MaterialTheme.shapes.small,
    )
}

/** What no keyboard must mend or learn: invoices, addresses, words. */
@Composable
internal fun CodeField(
    label: String,
    value: String,
    example: String,
    lines: Int = 3,
    isWrong: Boolean = false,
    hint: String? = null,
    change: (String) -> Unit,
) {
    OutlinedTextField(
        value, change, Modifier.fillMaxWidth(),
        label = { Text(label) },
        placeholder = { Text(example) },
        supportingText = hint?.let { { Text(it) } },
        isError = isWrong,
        keyboardOptions = KeyboardOptions(
            // A password's keyboard learns nothing.
            KeyboardCapitalization.None, autoCorrectEnabled = false, keyboardType = KeyboardType.Password,
        ),
        minLines = lines, maxLines = maxOf(lines, 6), singleLine = lines == 1,
        textStyle = LocalTextStyle.current.copy(fontFamily = FontFamily.Monospace),
        shape = MaterialTheme.shapes.small,
    )
}

@Composable
internal fun cardColors(): CardColors =
    CardDefaults.cardColors(containerColor = MaterialTheme.colorScheme.surfaceContainer)
