//! The macros that turn a message as the BOLTs write it into a struct and its codec.

/// Reads one field, by its own codec where the declaration names one (`field: Type as codec`).
macro_rules! read_field {
    ($reader:ident, $ty:ty) => {
        $reader.read::<$ty>()?
    };
    ($reader:ident, $ty:ty, $codec:ident) => {
        $codec::read($reader)?
    };
}

/// Writes one field.
macro_rules! write_field {
    ($writer:ident, $value:expr) => {
        $writer.write($value)
    };
    ($writer:ident, $value:expr, $codec:ident) => {
        $codec::write($value, $writer)
    };
}

/// A group of fixed fields without extension.
macro_rules! fields {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* $field:ident: $ty:ty $(as $codec:ident)?,)* }) => {
        $(#[$meta])*
        pub struct $name { $($(#[$field_meta])* pub $field: $ty,)* }

        impl $crate::wire::Field for $name {
            fn read(reader: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::DecodeError> {
                Ok(Self { $($field: read_field!(reader, $ty $(, $codec)?),)* })
            }

            fn write(&self, writer: &mut $crate::wire::Writer) {
                $(write_field!(writer, &self.$field $(, $codec)?);)*
            }
        }
    };
}

/// A message: fixed fields, then an extension with the TLV records that are known, by increasing type.
macro_rules! payload {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[$field_meta:meta])* $field:ident: $ty:ty $(as $codec:ident)?,)*
        }
        tlvs { $($(#[$tlv_meta:meta])* $tlv_type:literal => $tlv:ident: $tlv_ty:ty,)* }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $ty,)*
            $($(#[$tlv_meta])* pub $tlv: Option<$tlv_ty>,)*
        }

        impl $crate::wire::Payload for $name {
            fn read_payload(reader: &mut $crate::wire::Reader<'_>) -> Result<Self, $crate::wire::DecodeError> {
                $(let $field = read_field!(reader, $ty $(, $codec)?);)*
                $(let mut $tlv = None;)*
                $crate::wire::tlv::read_stream(reader.rest(), |record| {
                    $(if record.tlv_type == $tlv_type {
                        $tlv = Some($crate::wire::tlv::read_value::<$tlv_ty>(record.value)?);
                        return Ok(true);
                    })*
                    let _ = record;
                    Ok(false)
                })?;
                Ok(Self { $($field,)* $($tlv,)* })
            }

            fn write_payload(&self, writer: &mut $crate::wire::Writer) {
                $(write_field!(writer, &self.$field $(, $codec)?);)*
                $(if let Some(value) = &self.$tlv {
                    $crate::wire::tlv::write_record(writer, $tlv_type, value);
                })*
            }
        }
    };
}
