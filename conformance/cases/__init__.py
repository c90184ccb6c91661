"""From a contract to named cases: families of cases, fixtures, templates."""
