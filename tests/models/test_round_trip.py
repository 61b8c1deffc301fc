"""`parse(str(m)) == m`, on texts of every kind and on random ones; models of published analyses parse."""

import random

import pytest

from csi.models.model import Model

TEXTS = {
    "ecsi": """
        Image =~ IMAG1 + IMAG2 + IMAG3 + IMAG4 + IMAG5
        Expectation =~ CUEX1 + CUEX2 + CUEX3
        Complaints =~ 1*CUSCO
        CUSCO ~~ 0*CUSCO
        Expectation ~ Image
        Complaints ~ Image + Expectation""",
    "growth": """
        i =~ 1*t1 + 1*t2 + 1*t3 + 1*t4
        s =~ 0*t1 + 1*t2 + 2*t3 + 3*t4
        i ~ x1 + x2
        s ~ x1 + x2
        t1 ~ c1
        t2 ~ c2""",
    "longitudinal, scalar": """
        f1 =~ NA*y1t1 + l1*y1t1 + l2*y2t1
        f2 =~ NA*y1t2 + l1*y1t2 + l2*y2t2
        f1 ~~ 1*f1
        f2 ~~ NA*f2
        y1t1 ~ n1*1
        y1t2 ~ n1*1
        f1 ~ 0*1
        f2 ~ NA*1
        y1t1 ~~ y1t2""",
    "mediation": """
        Satisfaction =~ CUSA1 + CUSA2 + CUSA3
        Loyalty =~ CUSL1 + CUSL2 + CUSL3
        Image =~ IMAG1 + IMAG2
        Satisfaction ~ a*Image
        Loyalty ~ b*Satisfaction + cp*Image
        indirect := a*b
        total := cp + a*b
        prop := indirect/total""",
    "equal loadings": """
        ind60 =~ x1 + x2 + x3
        dem60 =~ y1 + a*y2 + b*y3 + c*y4
        dem65 =~ y5 + a*y6 + b*y7 + c*y8
        dem60 ~ p1*ind60
        dem65 ~ p2*ind60 + p3*dem60
        y2 ~~ y4 + y6
        ind := p1*p3
        ratio := ind/(p2 + p1*p3)
        a == b
        c > 0""",
    "groups": """
        ## LOADINGS:
        f1 =~ c(NA, NA)*u1 + c(lambda.1_1.g1, lambda.1_1.g2)*u1
        f1 =~ c(NA, NA)*u2 + c(lambda.2_1, lambda.2_1)*u2
        ## INTERCEPTS:
        u1 ~ c(0, NA)*1 + c(nu.1.g1, nu.1.g2)*1
        ## VARIANCES:
        u1 ~~ c(1, NA)*u1 + c(theta.1_1.g1, theta.1_1.g2)*u1
        f1 ~ c(0, 0)*1 + c(alpha.1.g1, alpha.1.g2)*1
        f1 ~~ c(1, 1)*f1 + c(psi.1_1.g1, psi.1_1.g2)*f1""",
    "composites of composites": """
        Satisfaction ~ Expectation + Quality
        Image <~ IMAG1+IMAG2+IMAG3
        Value <~ PERV1+PERV2
        Satisfaction <~ Image + Value
        Expectation <~ CUEX1+CUEX2+CUEX3
        Quality <~ PERQ1+PERQ2""",
    "paths first": "eta2 ~ eta1\neta3 ~ eta1 + eta2\neta1 =~ y11+y12\neta2 =~ y21+y22\neta3 =~ y31+y32",
    "interaction": "int =~ i1; inv =~ v1; sat =~ s1; int ~ inv + b*inv:sat + sat",
    "Chinese": '满意度 =~ 总体 + "与 期望 相比"\n"品牌 形象" =~ 形象1\n满意度 ~ p*"品牌 形象"',
    "starts and empty groups": 'f =~ start(0.5)*x + c("", a)*y + start(c(1, 2))*z + c("", 1)*w + c(b, "")*w',
    "ordinal": """
        f1 =~ c(NA, NA)*u1 + c(l1.g1, l1.g2)*u1 + u2
        u1 | c(NA, NA)*t1 + c(u1.thr1, u1.thr1)*t1
        u1 + u2 | t2 + start(0.5)*t3
        u2 | -0.5*t1
        u1 ~*~ c(1, NA)*u1 + c("", d)*u1
        "与 期望" | a*t1
        a > 0""",
    "bounds": "f =~ x1 + lower(0)*x2 + upper(c(1, NA))*x3 + b*lower(-1.5)*upper(2)*x4; x1 ~~ lower(0)*x1; b <= 1",
    "equal": "f =~ x1 + x2 + equal('f=~x2')*x3; x3 ~~ equal('x2 ~~ x2')*x3 + start(1)*x3; x2 ~~ x2",
    "phantom": "f =~ 0; g <~ g1 + g2; y =~ y1 + y2; f ~ 1*g; y ~ f; f ~~ 0*f",
    "nonlinear": "y ~ a*x + b*z; a == b^2; log(a)/exp(-b)^2 > sqrt(abs(a - 1)) - -b",
    "numbers": "f =~ 0.1*x + 1e-07*y + -3*z + 12345678.9*w; x ~ 0.30000000000000004*1",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_texts_round_trip(text):
    model = Model.parse(text)
    assert Model.parse(str(model)) == model
    assert str(Model.parse(str(model))) == str(model)


@pytest.mark.parametrize("seed", range(60))
def test_random_texts_round_trip(seed):
    model = Model.parse(random_text(random.Random(seed)))  # noqa: S311 - texts, not secrets
    assert Model.parse(str(model)) == model


def test_the_order_of_lines_survives():
    model = Model.parse("c =~ c1; a =~ a1; b =~ b1; b ~ a; c ~ b + a")
    assert str(model) == "c =~ c1\na =~ a1\nb =~ b1\nb ~ a\nc ~ b + a"


def random_text(draw):
    """A text of 2-5 constructs with modifiers of every kind, paths, products, covariances, definitions."""
    groups = draw.choice([1, 2, 3])
    names = draw.sample(["满意", "image", "loy.1", "brand image", "价值"], draw.randint(2, 5))
    quoted = [f'"{n}"' if " " in n else n for n in names]
    labels = []

    def value():
        kind = draw.choice(["fixed", "label", "free"])
        if kind == "label":
            labels.append(f"p{len(labels)}")
            return labels[-1]
        return "NA" if kind == "free" else repr(round(draw.uniform(-2, 2), draw.randint(0, 15)))

    def term(name):
        kind = draw.choice(["plain", "plain", "one", "groups", "start", "bound"])
        if kind == "bound":
            return f"lower({-draw.random()})*upper(c({', '.join(['NA', repr(draw.random()), '1'][:groups])}))*{name}"
        if kind == "groups":
            return f"c({', '.join(value() for _ in range(groups))})*{name}"
        if kind == "one":
            return f"{value()}*{name}"
        return name if kind == "plain" else f"start({draw.random()})*{name}"

    lines = [
        f"{q} {draw.choice(['=~', '<~'])} " + " + ".join(term(f"x{k}_{i}") for i in range(draw.randint(1, 4)))
        for k, q in enumerate(quoted)
    ]
    lines += [f"{q} ~ " + " + ".join(term(p) for p in quoted[:k]) for k, q in enumerate(quoted) if k]
    lines += [f"{quoted[-1]} ~ {quoted[0]}:{quoted[1]}"] if draw.random() < 0.5 else []
    lines += [f"x0_0 | {term('t1')} + {term('t2')}", f"x0_0 ~*~ {term('x0_0')}"] if draw.random() < 0.5 else []
    lines += [f"x0_0 ~~ {term('x1_0')}", f"x0_0 ~ {term('1')}"]
    lines += [f"d := {labels[0]}*({labels[-1]} - 2)^2", f"{labels[0]} > 0"] if labels else []
    draw.shuffle(lines)
    return "\n".join(lines)
