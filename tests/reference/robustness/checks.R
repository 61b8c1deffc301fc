# Normality tests by nortest, RESET by lmtest, copula regressions by lm (called, not copied).
# python population.py > rows.csv; Rscript checks.R rows.csv > checks.json
suppressMessages({library(nortest); library(lmtest)})
file <- commandArgs(TRUE)[1]
d <- read.csv(file)
number <- function(v) paste0("[", paste(format(unname(v), digits = 15), collapse = ","), "]")
tests <- sapply(c("normal", "skewed", "flat", "heavy"), function(name) {
  parts <- sapply(c(40, 150), function(n) {
    x <- d[[name]][seq_len(n)]
    a <- lillie.test(x); b <- cvm.test(x)
    number(c(a$statistic, a$p.value, b$statistic, b$p.value))
  })
  paste0("[", paste(parts, collapse = ","), "]")
})
reset <- resettest(y ~ x1 + x2, power = 2:3, type = "fitted", data = d)
squared <- resettest(y ~ x1 + x2, power = 2, type = "fitted", data = d)
n <- nrow(d)
adjusted <- function(x) qnorm(rank(x) / (n + 1))
original <- function(x) qnorm(pmin(pmax(ecdf(x)(x), 1e-7), 1 - 1e-7))
slopes <- function(f) {
  one <- coef(lm(y ~ x1 + x2 + f(x1), data = d))[-1]
  two <- coef(lm(y ~ x1 + x2 + f(x1) + f(x2), data = d))[-1]
  number(c(one, two))
}
hash <- strsplit(system2("sha256sum", shQuote(file), stdout = TRUE), " ")[[1]][1]
out <- gsub(" ", "", paste0('"normality":{', paste(sprintf('"%s":%s', names(tests), tests), collapse = ","), '},"reset":',
  number(c(reset$statistic, reset$parameter, reset$p.value)), ',"reset_square":',
  number(c(squared$statistic, squared$parameter, squared$p.value)),
  ',"adjusted":', slopes(adjusted), ',"original":', slopes(original)))
cat(sprintf('{"software":"nortest %s, lmtest %s / R %s","command":"Rscript checks.R rows.csv","data":"population.py, sha256 %s","tolerance":"1e-8 relative (printed with 15 digits)",%s}\n',
  packageVersion("nortest"), packageVersion("lmtest"), paste(R.version$major, R.version$minor, sep = "."), hash, out))
