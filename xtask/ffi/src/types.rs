//! Types and names as TypeScript has them.

use anyhow::bail;
use uniffi_meta::{FieldMetadata, FnParamMetadata, Type};

/// The type in TypeScript.
///
/// # Errors
/// For what cannot cross the API.
pub fn script(kind: &Type) -> anyhow::Result<String> {
    Ok(match kind {
        Type::UInt8 | Type::UInt16 | Type::UInt32 => "number".to_owned(),
        Type::UInt64 => "bigint".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::String => "string".to_owned(),
        Type::Object { name, .. } | Type::Record { name, .. } | Type::Enum { name, .. } => name.clone(),
        Type::Optional { inner_type } => format!("{} | undefined", script(inner_type)?),
        Type::Sequence { inner_type } => match script(inner_type)? {
            inner if inner.contains('|') => format!("({inner})[]"),
            inner => format!("{inner}[]"),
        },
        other => bail!("{other:?} cannot cross the API"),
    })
}

/// Fields or arguments, with `separator` between them.
///
/// # Errors
/// See [`script`].
pub fn fields(fields: &[FieldMetadata]) -> anyhow::Result<Vec<String>> {
    fields.iter().map(|field| Ok(format!("{}: {}", camel(&field.name), script(&field.ty)?))).collect()
}

/// The arguments of a function.
///
/// # Errors
/// See [`script`].
pub fn arguments(inputs: &[FnParamMetadata]) -> anyhow::Result<String> {
    let inputs: Vec<String> = inputs
        .iter()
        .map(|input| Ok(format!("{}: {}", camel(&input.name), script(&input.ty)?)))
        .collect::<anyhow::Result<_>>()?;
    Ok(inputs.join(", "))
}

/// `amount_msat` and `AmountMsat` as `amountMsat`.
pub fn camel(name: &str) -> String {
    let mut camel = String::new();
    let mut upper = false;
    for letter in name.chars() {
        match letter {
            '_' => upper = !camel.is_empty(),
            _ if upper => {
                camel.extend(letter.to_uppercase());
                upper = false;
            }
            _ if camel.is_empty() => camel.extend(letter.to_lowercase()),
            _ => camel.push(letter),
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::{camel, script};
    use uniffi_meta::Type;

    #[test]
    fn types_and_names_are_those_of_type_script() {
        assert_eq!(camel("amount_msat"), "amountMsat");
        assert_eq!(camel("InFlight"), "inFlight");
        let amounts = Type::Sequence { inner_type: Box::new(Type::UInt64) };
        let optional = Type::Optional { inner_type: Box::new(amounts) };
        assert_eq!(script(&optional).expect("a type"), "bigint[] | undefined");
        assert!(script(&Type::Float64).is_err());
    }
}
