//! Names a parameter that the scripted revision renames: has to be stopped by the compiler.

#[test]
fn the_old_name_is_still_taken() {
    fn list(client: &dintero::Client) -> dintero::calls::ListTransactionsCall {
        client.transactions().list().store_id("oslo")
    }
    let _ = list;
}
