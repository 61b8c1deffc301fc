# A method factor and the marker technique (Williams, Hartman & Cavazotte, 2010), by lavaan.
#
#   Rscript tests/reference/method.R
#
# Writes method.json beside it, from the moments committed in tests/reference/holzinger; speed stands for a marker.

suppressMessages({ library(lavaan); library(jsonlite) })
m <- fromJSON("tests/reference/holzinger/moments.json")
cov <- m$cov; dimnames(cov) <- list(m$names, m$names)
fit <- function(text) suppressWarnings(cfa(text, sample.cov = cov, sample.nobs = m$n, std.lv = TRUE))
traits <- "visual =~ x1 + x2 + x3\ntextual =~ x4 + x5 + x6\n"
three <- paste0(traits, "speed =~ x7 + x8 + x9\n")
apart <- function(method, names) paste(paste0(method, " ~~ 0*", names), collapse = "\n")
items <- paste0("x", 1:9)
method <- function(label) paste0(three, "m =~ ", paste0(label, items, collapse = " + "), "\n",
                                 apart("m", c("visual", "textual", "speed")))
whole <- parameterEstimates(fit(three))
value <- function(l, o, r) whole$est[whole$lhs == l & whole$op == o & whole$rhs == r]
held <- paste0(paste0(sapply(7:9, function(k) paste0(value("speed", "=~", paste0("x", k)), "*x", k)), collapse = " + "))
errors <- paste0(sapply(7:9, function(k) paste0("x", k, " ~~ ", value(paste0("x", k), "~~", paste0("x", k)), "*x", k)), collapse = "\n")
marker <- function(label) {
  extra <- if (is.null(label)) "" else paste0(" + ", paste0(label, paste0("x", 1:6), collapse = " + "))
  paste0(traits, "speed =~ ", held, extra, "\n", errors, "\n", apart("speed", c("visual", "textual")))
}
base <- fit(marker(NULL))
r <- parameterEstimates(base); r <- r$est[r$lhs == "visual" & r$rhs == "textual"]
models <- list(factors = three, one_factor = paste0("g =~ ", paste(items, collapse = " + ")), method_equal = method("e*"),
               marker_baseline = marker(NULL), marker_equal = marker("e*"), marker_free = marker(""),
               marker_restricted = paste0(marker(""), "\nvisual ~~ ", r, "*textual"))
out <- lapply(models, function(text) {
  one <- fit(text)
  list(chi2 = unname(fitMeasures(one, "chisq")), df = unname(fitMeasures(one, "df")), cfi = unname(fitMeasures(one, "cfi")))
})
write(toJSON(list(
  provenance = list(software = paste0("lavaan ", packageVersion("lavaan"), ", ", R.version.string),
                    command = "Rscript tests/reference/method.R", data = "moments.json of tests/reference/holzinger",
                    tolerance = 1e-4), models = out
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "tests/reference/method.json")
