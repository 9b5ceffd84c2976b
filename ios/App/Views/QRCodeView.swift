import CoreImage
import SwiftUI
import UIKit

/// A text as a QR code, black on white whatever the theme: readers need that.
struct QRCodeView: View {
    let text: String

    var body: some View {
        if let image {
            Image(uiImage: image)
                .interpolation(.none)
                .resizable()
                .scaledToFit()
                .padding()
                .background(.white)
                .accessibilityLabel("QR code")
        }
    }

    private var image: UIImage? {
        let parameters: [String: Any] = ["inputMessage": Data(text.utf8), "inputCorrectionLevel": "M"]
        guard let output = CIFilter(name: "CIQRCodeGenerator", parameters: parameters)?.outputImage,
            let image = CIContext().createCGImage(output, from: output.extent)
        else { return nil }
        return UIImage(cgImage: image)
    }
}
