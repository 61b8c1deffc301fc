# Design effects of a weighted mean of three items in two domains of a stratified cluster sample. The rows follow from a
# formula (no random numbers), which tests/tracking/test_design_effect.py repeats.
#
#   Rscript tests/reference/deff/survey.R
#
# Writes survey.json beside this script.

suppressMessages({ library(survey); library(jsonlite) })
strata <- 5; clusters <- 8; size <- 12; n <- strata * clusters * size; i <- seq_len(n)
even <- function(k, prime) (k * sqrt(prime)) %% 1
normal <- function(k, prime) qnorm(even(k, prime))
cluster <- (i - 1) %/% size + 1; stratum <- (cluster - 1) %/% clusters + 1
mood <- 0.8 * normal(cluster, 2) + 0.3 * stratum + normal(i, 3)
answer <- function(p) pmin(10, pmax(1, round(5 + 1.3 * mood + normal(i, p))))
d <- data.frame(a = answer(5), b = answer(7), c = answer(11), cluster, stratum, w = 1 + (7 * i + stratum) %% 4,
                brand = ifelse((i %/% 3) %% 3 == 0, "B", "A"))
d$y <- 100 * (0.5 * d$a + 0.3 * d$b + 0.2 * d$c - 1) / 9

told <- function(design, brand) {
  part <- if (is.null(brand)) design else design[d$brand == brand, ]
  rows <- if (is.null(brand)) rep(TRUE, n) else d$brand == brand
  m <- svymean(~y, part)
  s2 <- as.numeric(svyvar(~y, part)); count <- sum(rows)
  list(n = count, mean = as.numeric(coef(m)), se = as.numeric(SE(m)), s2 = s2, deff = as.numeric(SE(m))^2 * count / s2)
}
own <- function(design, b) {
  part <- if (is.null(b)) design else design[d$brand == b, ]
  as.numeric(deff(svymean(~y, part, deff = "replace")))
}
cases <- list(
  "strata and clusters" = svydesign(id = ~cluster, strata = ~stratum, weights = ~w, data = d),
  "clusters" = svydesign(id = ~cluster, weights = ~w, data = d),
  "strata" = svydesign(id = ~1, strata = ~stratum, weights = ~w, data = d),
  "clusters unweighted" = svydesign(id = ~cluster, weights = ~rep(1, n), data = d))
found <- lapply(cases, function(design) lapply(list(all = NULL, A = "A", B = "B"), function(b) {
  c(told(design, b), deff_of_svymean = own(design, b)) }))
jk <- as.svrepdesign(cases[[1]], type = "JKn")
scales <- list(rscales = jk$rscales, scale = jk$scale)
found[["jkn"]] <- lapply(list(all = NULL, A = "A", B = "B"), function(b) told(jk, b))
kish <- lapply(list(all = rep(TRUE, n), A = d$brand == "A", B = d$brand == "B"),
               function(r) sum(d$w[r]^2) * sum(r) / sum(d$w[r])^2)
out <- list(
  source = "tests/reference/deff/survey.R",
  software = paste0("survey ", packageVersion("survey"), " (R ", getRversion(), ")"),
  command = "Rscript tests/reference/deff/survey.R",
  data = "made by the formula in the script; no rows are stored",
  tolerance = 1e-05,
  why = "csi rounds weights to multiples of 2^-20; relative",
  check = list(sum_y = sum(d$y), sum_w = sum(d$w), n = n),
  scale = jk$scale, rscales = jk$rscales, cases = found, kish = kish)
writeLines(toJSON(out, digits = 14, auto_unbox = TRUE, null = "null", pretty = 1), "tests/reference/deff/survey.json")
