//! Currencies.

crate::types::open_enum! {
    /// A currency by its ISO 4217 code of three capital letters.
    ///
    /// Named are those of the markets where the service is offered; any other code goes through `Unknown`. What is
    /// sent has to be three capital letters.
    pub enum Currency {
        /// Norwegian krone, 100 øre.
        Nok = "NOK",
        /// Swedish krona, 100 öre.
        Sek = "SEK",
        /// Danish krone, 100 øre.
        Dkk = "DKK",
        /// Euro, 100 cents.
        Eur = "EUR",
        /// Pound sterling, 100 pence.
        Gbp = "GBP",
        /// United States dollar, 100 cents.
        Usd = "USD",
        /// Swiss franc, 100 rappen.
        Chf = "CHF",
        /// Polish złoty, 100 groszy.
        Pln = "PLN",
        /// Icelandic króna, which has no minor unit.
        Isk = "ISK",
    }
}
