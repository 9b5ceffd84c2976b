//! Tables for people.

use comfy_table::{CellAlignment, Table};

/// How a column stands.
#[derive(Clone, Copy, Debug)]
pub enum Column {
    /// Text.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

/// A table with a header and without lines.
pub fn table(columns: &[Column], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(columns.iter().map(|column| match column {
        Column::Left(name) | Column::Right(name) => *name,
    }));
    table.add_rows(rows);
    for (drawn, column) in table.column_iter_mut().zip(columns) {
        drawn.set_padding((0, 2));
        if matches!(column, Column::Right(_)) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    lines(&table.to_string())
}

/// Names and values, one a line.
pub fn facts(rows: &[(&str, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<width$}  {value}")).collect();
    lines.join("\n")
}

fn lines(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Column, facts, table};

    #[test]
    fn columns_stand_below_each_other() {
        let rows = vec![vec!["1".to_owned(), "5 sat".into()], vec!["carol".into(), "12 000 sat".into()]];
        let drawn = table(&[Column::Left("who"), Column::Right("amount")], rows);
        assert_eq!(drawn, "who        amount\n1           5 sat\ncarol  12 000 sat");
    }

    #[test]
    fn facts_stand_below_each_other() {
        assert_eq!(facts(&[("a", "1".into()), ("long", "2".into())]), "a     1\nlong  2");
    }
}
