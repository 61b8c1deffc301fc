# SERVQUAL measured five ways by lavaan: the card servqual and its rivals on the answers of Bliemel et al. (2004)
# CSI_REFERENCE_DIR=... Rscript servqual.R > servqual.json (lavaan 0.6-14; data of the R package cSEM, 411 x 23)
library(lavaan); library(jsonlite)
file <- file.path(Sys.getenv("CSI_REFERENCE_DIR"), "data/csem/SQ.csv")
d <- read.csv(file) / 20  # lavaan does not converge on 0-100; nothing compared depends on the unit
five <- "tangibles =~ a01 + a02 + a03 + a04
reliability =~ a05 + a06 + a07 + a08 + a09
responsiveness =~ a10 + a11 + a12 + a13
assurance =~ a14 + a15 + a16 + a17
empathy =~ a18 + a19 + a20 + a21 + a22
satisfaction =~ sat
"
items <- paste(sprintf("a%02d", 1:22), collapse = " + ")
models <- list(
  card = paste0(five, "satisfaction ~ tangibles + reliability + responsiveness + assurance + empathy"),
  one_factor = paste0("service_quality =~ ", items, "\nsatisfaction =~ sat\nsatisfaction ~ service_quality"),
  second_order = paste0(five, "service_quality =~ tangibles + reliability + responsiveness + assurance + empathy
satisfaction ~ service_quality"),
  responsive_assurance = paste0(
    "tangibles =~ a01 + a02 + a03 + a04
reliability =~ a05 + a06 + a07 + a08 + a09
responsive_assurance =~ a10 + a11 + a12 + a13 + a14 + a15 + a16 + a17
empathy =~ a18 + a19 + a20 + a21 + a22
satisfaction =~ sat
satisfaction ~ tangibles + reliability + responsive_assurance + empathy")
)
fits <- lapply(models, sem, data = d)
of <- function(fit) {
  m <- fitMeasures(fit, c("chisq", "df", "cfi", "rmsea", "srmr"))
  s <- standardizedSolution(fit)
  s <- s[s$op == "~", c("lhs", "rhs", "est.std", "se", "ci.lower", "ci.upper")]
  list(fit = as.list(unclass(m)), paths = s)
}
out <- list(
  provenance = list(software = paste("lavaan", packageVersion("lavaan")), command = "Rscript servqual.R",
                    data = "SQ.csv of cSEM", md5 = unname(tools::md5sum(file)), n = nrow(d),
                    tolerance = "chisq 1e-3; cfi, rmsea, srmr 1e-5; paths and errors of one_factor and second_order 1e-5; differences 1e-3"),
  moments = list(names = names(d), mean = unname(colMeans(d)), cov = unname(cov(d)), minimum = 0, maximum = 5),
  models = lapply(fits, of),
  differences = lapply(fits[-1], function(f) {
    a <- anova(fits$card, f); list(chisq_diff = a[2, "Chisq diff"], df_diff = a[2, "Df diff"])
  })
)
cat(toJSON(out, auto_unbox = TRUE, digits = 12))
