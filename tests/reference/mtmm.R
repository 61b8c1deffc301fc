# Models of Campbell and Fiske's synthetic multitrait-multimethod matrix (1959, Table 1), by lavaan.
#
#   Rscript tests/reference/mtmm.R
#
# Writes mtmm.json beside it.

suppressMessages({ library(lavaan); library(jsonlite) })
low <- "1
.51 1
.38 .37 1
.57 .22 .09 1
.22 .57 .10 .68 1
.11 .11 .46 .59 .58 1
.56 .22 .11 .67 .42 .33 1
.23 .58 .12 .43 .66 .34 .67 1
.11 .11 .45 .34 .32 .58 .58 .60 1"
names <- c("A1", "B1", "C1", "A2", "B2", "C2", "A3", "B3", "C3")
cor <- getCov(low, names = names)
n <- 300
traits <- "tA =~ A1 + A2 + A3\ntB =~ B1 + B2 + B3\ntC =~ C1 + C2 + C3\n"
method <- function(k) paste0("m", k, " =~ A", k, " + B", k, " + C", k, "\n")
apart <- function(ks) paste(outer(c("tA", "tB", "tC"), paste0("m", ks), function(t, m) paste0(t, " ~~ 0*", m)), collapse = "\n")
models <- list(
  "ct-cm" = paste0(traits, method(1), method(2), method(3), apart(1:3)),
  "ct-c(m-1)" = paste0(traits, method(2), method(3), apart(2:3)),
  "cu" = paste0(traits, paste(sapply(1:3, function(k) {
    paste0("A", k, " ~~ B", k, " + C", k, "\nB", k, " ~~ C", k)
  }), collapse = "\n"))
)
out <- lapply(models, function(text) {
  one <- suppressWarnings(cfa(text, sample.cov = cor, sample.nobs = n, std.lv = TRUE))
  if (!lavInspect(one, "converged")) return(list(converged = FALSE))
  s <- standardizedSolution(one)
  l <- s[s$op == "=~", ]
  list(converged = TRUE, chi2 = unname(fitMeasures(one, "chisq")), df = unname(fitMeasures(one, "df")),
       cfi = unname(fitMeasures(one, "cfi")), unit = l$rhs, factor = l$lhs, share = l$est.std^2)
})
write(toJSON(list(
  provenance = list(software = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string),
                    command = "Rscript tests/reference/mtmm.R",
                    data = "Campbell & Fiske (1959), Psychological Bulletin 56(2), Table 1", tolerance = 1e-4),
  names = names, n = n, cor = unclass(cor), models = out
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/mtmm.json")
