//! Rust types as TypeScript has them.

use syn::{Error, GenericArgument, PathArguments, PathSegment, ReturnType, Type, TypeParamBound};

/// What a function gives back.
pub struct Returned<'a> {
    /// The value; unset for nothing.
    pub value: Option<&'a Type>,
    /// Whether it can fail.
    pub fallible: bool,
}

/// Reads the return type of a function.
pub fn returned(output: &ReturnType) -> Returned<'_> {
    let ReturnType::Type(_, outer) = output else { return Returned { value: None, fallible: false } };
    let (inner, fallible) = match generic(outer, "Result") {
        Some(inner) => (inner, true),
        None => (&**outer, false),
    };
    let nothing = matches!(inner, Type::Tuple(tuple) if tuple.elems.is_empty());
    Returned { value: (!nothing).then_some(inner), fallible }
}

/// The object behind `Arc<Object>`.
pub fn object(kind: &Type) -> Option<&Type> {
    generic(kind, "Arc").filter(|inner| !matches!(inner, Type::TraitObject(_)))
}

/// The trait behind `Arc<dyn Listener>`.
pub fn listener(kind: &Type) -> Option<&PathSegment> {
    let Some(Type::TraitObject(object)) = generic(kind, "Arc") else { return None };
    object.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => bound.path.segments.last(),
        _ => None,
    })
}

/// The value behind `Option<value>`.
pub fn optional(kind: &Type) -> Option<&Type> {
    generic(kind, "Option")
}

/// The type in TypeScript.
pub fn type_script(kind: &Type) -> Result<String, Error> {
    if let Some(inner) = optional(kind) {
        return Ok(format!("{} | undefined", type_script(inner)?));
    }
    if let Some(inner) = generic(kind, "Vec") {
        let element = type_script(inner)?;
        if matches!(segment(inner), Some(last) if last.ident == "u8") {
            return Err(Error::new_spanned(kind, "bytes cross the API as hex in a String"));
        }
        return Ok(if element.contains('|') { format!("({element})[]") } else { format!("{element}[]") });
    }
    if let Some(inner) = object(kind) {
        return type_script(inner);
    }
    if let Some(name) = listener(kind) {
        return Ok(name.ident.to_string());
    }
    let Some(last) = segment(kind).filter(|last| last.arguments.is_empty()) else {
        return Err(Error::new_spanned(kind, "this type cannot cross the API: owned plain values only"));
    };
    let name = last.ident.to_string();
    Ok(match name.as_str() {
        "String" => "string".to_owned(),
        "bool" => "boolean".to_owned(),
        "u8" | "u16" | "u32" => "number".to_owned(),
        "u64" => "bigint".to_owned(),
        "usize" | "isize" | "u128" | "i128" | "f32" | "f64" | "i8" | "i16" | "i32" | "i64" | "char"
        | "str" => {
            return Err(Error::new_spanned(kind, "this type cannot cross the API: use u32, u64 or String"));
        }
        _ => name,
    })
}

fn generic<'a>(kind: &'a Type, name: &str) -> Option<&'a Type> {
    let PathArguments::AngleBracketed(arguments) =
        &segment(kind).filter(|last| last.ident == name)?.arguments
    else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(inner) => Some(inner),
        _ => None,
    })
}

fn segment(kind: &Type) -> Option<&PathSegment> {
    match kind {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::type_script;

    fn of(text: &str) -> Result<String, syn::Error> {
        type_script(&syn::parse_str(text).expect("a type"))
    }

    #[test]
    fn types_have_one_name_in_type_script() {
        for (rust, expected) in [
            ("String", "string"),
            ("u64", "bigint"),
            ("Option<u32>", "number | undefined"),
            ("Vec<Payment>", "Payment[]"),
            ("Vec<Option<bool>>", "(boolean | undefined)[]"),
            ("Arc<Wallet>", "Wallet"),
            ("Arc<dyn Listener>", "Listener"),
        ] {
            assert_eq!(of(rust).expect(rust), expected);
        }
    }

    #[test]
    fn what_would_lose_something_is_refused() {
        for rust in ["Vec<u8>", "usize", "i64", "f64", "&str", "(u32, u32)", "HashMap<String, u32>"] {
            assert!(of(rust).is_err(), "{rust}");
        }
    }
}
