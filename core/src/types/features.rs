//! Feature bits (BOLT 9): the even bit of a pair asks for it, the odd one offers it.

use std::fmt;

/// A feature by the even bit of its pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
#[expect(missing_docs, reason = "the names of BOLT 9")]
pub enum Feature {
    DataLossProtect = 0,
    UpfrontShutdownScript = 4,
    GossipQueries = 6,
    VarOnionOptin = 8,
    GossipQueriesEx = 10,
    StaticRemotekey = 12,
    PaymentSecret = 14,
    BasicMpp = 16,
    SupportLargeChannel = 18,
    Anchors = 22,
    RouteBlinding = 24,
    ShutdownAnysegwit = 26,
    DualFund = 28,
    Quiesce = 34,
    AttributionData = 36,
    OnionMessages = 38,
    ProvideStorage = 42,
    ChannelType = 44,
    ScidAlias = 46,
    PaymentMetadata = 48,
    Zeroconf = 50,
    SimpleClose = 60,
    Splice = 62,
}

impl Feature {
    /// The bit that asks for it.
    pub const fn required(self) -> u16 {
        self as u16
    }

    /// The bit that offers it.
    pub const fn optional(self) -> u16 {
        self as u16 + 1
    }

    /// What BOLT 9 says it cannot be without.
    pub const fn depends_on(self) -> &'static [Feature] {
        match self {
            Feature::BasicMpp => &[Feature::PaymentSecret],
            Feature::Zeroconf => &[Feature::ScidAlias],
            Feature::SimpleClose => &[Feature::ShutdownAnysegwit],
            Feature::Anchors => &[Feature::StaticRemotekey],
            Feature::PaymentSecret | Feature::RouteBlinding => &[Feature::VarOnionOptin],
            _ => &[],
        }
    }
}

/// A vector of feature bits, as sent: big-endian, bit 0 last.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Features {
    /// Least significant byte first and never with a zero byte at the end.
    little_endian: Vec<u8>,
}

/// Why a feature vector cannot be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FeaturesError {
    /// The other side requires something unknown here.
    #[error("feature bit {bit} is required and not known here")]
    UnknownRequired {
        /// The even bit.
        bit: u16,
    },
    /// A feature without another that it builds on.
    #[error("feature {feature:?} is set without {missing:?}")]
    MissingDependency {
        /// What is set.
        feature: Feature,
        /// What it needs.
        missing: Feature,
    },
}

impl Features {
    /// No bit set.
    pub const fn empty() -> Self {
        Self { little_endian: Vec::new() }
    }

    /// Exactly these bits.
    pub fn from_bits(bits: impl IntoIterator<Item = u16>) -> Self {
        let mut features = Self::empty();
        for bit in bits {
            features.set_bit(bit);
        }
        features
    }

    /// As on the wire (big-endian); leading zero bytes are dropped.
    pub fn from_be_bytes(bytes: &[u8]) -> Self {
        let mut little_endian: Vec<u8> = bytes.iter().rev().copied().collect();
        while little_endian.last() == Some(&0) {
            little_endian.pop();
        }
        Self { little_endian }
    }

    /// As on the wire: big-endian, the fewest bytes.
    pub fn to_be_bytes(&self) -> Vec<u8> {
        self.little_endian.iter().rev().copied().collect()
    }

    /// Sets one bit.
    pub fn set_bit(&mut self, bit: u16) {
        let byte = usize::from(bit / 8);
        if self.little_endian.len() <= byte {
            self.little_endian.resize(byte + 1, 0);
        }
        self.little_endian[byte] |= 1 << (bit % 8);
    }

    /// Whether this very bit is set.
    pub fn has_bit(&self, bit: u16) -> bool {
        self.little_endian.get(usize::from(bit / 8)).is_some_and(|byte| byte & (1 << (bit % 8)) != 0)
    }

    /// Whether either bit of the pair is set.
    pub fn supports(&self, feature: Feature) -> bool {
        self.has_bit(feature.required()) || self.has_bit(feature.optional())
    }

    /// Every set bit, ascending.
    pub fn bits(&self) -> impl Iterator<Item = u16> + '_ {
        self.little_endian.iter().enumerate().flat_map(|(i, byte)| {
            (0..8u16).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| i as u16 * 8 + bit)
        })
    }

    /// The bits of either (init: `globalfeatures` OR `features`).
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_bits(self.bits().chain(other.bits()))
    }

    /// Both sides have it, so the feature is negotiated.
    pub fn negotiated(&self, other: &Self, feature: Feature) -> bool {
        self.supports(feature) && other.supports(feature)
    }

    /// Every required bit is among `known` (by its pair) and every known feature has what it builds on.
    ///
    /// # Errors
    /// The first unknown required bit, or the first missing dependency.
    pub fn check(&self, known: &[Feature]) -> Result<(), FeaturesError> {
        for bit in self.bits().filter(|bit| bit % 2 == 0) {
            if !known.iter().any(|feature| feature.required() == bit) {
                return Err(FeaturesError::UnknownRequired { bit });
            }
        }
        for feature in known.iter().copied().filter(|feature| self.supports(*feature)) {
            if let Some(missing) = feature.depends_on().iter().copied().find(|needed| !self.supports(*needed))
            {
                return Err(FeaturesError::MissingDependency { feature, missing });
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.bits()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_bytes() {
        let features = Features::from_bits([0, 8, 12, 14, 44, 17, 23, 27]);
        assert_eq!(features.to_be_bytes(), [0x10, 0x00, 0x08, 0x82, 0x51, 0x01]);
        assert_eq!(Features::from_be_bytes(&[0, 0, 0x10, 0x00, 0x08, 0x82, 0x51, 0x01]), features);
        assert_eq!(features.bits().collect::<Vec<_>>(), [0, 8, 12, 14, 17, 23, 27, 44]);
    }

    #[test]
    fn unknown_even_bits_and_missing_dependencies_are_errors() {
        let known = [Feature::PaymentSecret, Feature::BasicMpp, Feature::VarOnionOptin];
        assert_eq!(
            Features::from_bits([100]).check(&known),
            Err(FeaturesError::UnknownRequired { bit: 100 })
        );
        assert_eq!(Features::from_bits([101]).check(&known), Ok(()));
        assert_eq!(
            Features::from_bits([17]).check(&known),
            Err(FeaturesError::MissingDependency {
                feature: Feature::BasicMpp,
                missing: Feature::PaymentSecret
            })
        );
        assert_eq!(Features::from_bits([9, 15, 17]).check(&known), Ok(()));
    }
}
