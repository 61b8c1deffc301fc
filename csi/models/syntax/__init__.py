"""lavaan text: tokens -> statements (`grammar`) -> `Claim` (`build`), and back (`write`)."""
