//! Tables that handwritten macros take, a row for each struct. Written as text, since a formatter of Rust code leaves
//! what macros are given alone.

/// Columns of a line.
const WIDTH: usize = 120;

/// A call of a macro of this path with these rows: the head of each, and its cells.
pub fn call(path: &str, rows: impl Iterator<Item = (String, Vec<String>)>) -> String {
    let mut out = format!("{path}! {{\n");
    for (head, cells) in rows {
        let mut line = format!("    {head} {{");
        for cell in cells.into_iter().chain(["}".to_owned()]) {
            if line.len() + 1 + cell.len() > WIDTH {
                out.push_str(&line);
                out.push('\n');
                line = "       ".to_owned();
            }
            line.push(' ');
            line.push_str(&cell);
        }
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("}\n");
    out
}
