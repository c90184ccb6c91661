// What a mode may change: switches, the rules of the order desk, and points at which an answer can be altered.
using System;
using System.Collections.Generic;
using System.Xml;
using Newtonsoft.Json.Linq;
using TPP.Contracts.Services.Order;

namespace TppMono
{
    // One request on its way through the service.
    public class Call
    {
        public int Number;               // counts the requests of this process
        public World World;
        public Request Request;
        public MediaType In, Out;        // In is null if the request has no supported Content-Type
        public Reading Reading;
        public List<Turn> Turns = new List<Turn>();
        public List<CancellationCreationResult> Results = new List<CancellationCreationResult>();
        public bool Processed;           // the answer is a list of results, or the one result
        public bool Single;              // the call for one order: one instruction asks, one result answers

        public bool XmlIn { get { return In != null && In.Format == Format.Xml; } }
        public bool XmlOut { get { return Out.Format == Format.Xml; } }
    }

    // One instruction of a call while it is judged.
    public class Turn
    {
        public Call Call;
        public int Index;
        public CancellationCreation Instruction;
        public bool International;
        public Order Order;
        public CancellationCreationResult Result;
    }

    public class Behaviour
    {
        // Switches for differences that are allowed.
        public int ProcessedStatus = 200, RefusedStatus = 400;
        public bool LeaveOutNulls, Indent, PrefixA, StrictJson, WideIds, AnyCreator, FirstErrorOnly, HideExistence;
        public bool FrameworkErrorsAsString, NotAcceptable, RefuseEmptyList, NullListIsEmpty, RefuseBroken;
        public bool NullItemFails, NullItemDropped, WrongItemIsNull, IgnoreAcceptCharset, CharsetOfRequest, PathIsExact, EchoBothIds;
        public PinPolicy PinPolicy = PinPolicy.Sometimes;

        // Switches for faults that lie outside the rules below.
        public bool RoundFractions, WrapIds, IgnoreReadErrors, AnyRoot;

        // The rules of the order desk.
        public Func<Turn, bool> International = turn => turn.Instruction.IsInternationalOrder;
        public Func<Turn, bool> IdGiven = turn => turn.International ? turn.Instruction.InternationalOrderUID.HasValue : turn.Instruction.OrderID.HasValue;
        public Func<Turn, bool> CreatorGiven = turn => !turn.International || turn.Instruction.CreatorID.HasValue;
        public Func<Turn, Order> Find = turn => turn.International ? turn.Call.World.Find(turn.Instruction.InternationalOrderUID) : turn.Call.World.Find(turn.Instruction.OrderID);
        public Func<Turn, bool> PinAccepted = turn => turn.Order.Pin == null || turn.Order.Pin == turn.Instruction.PIN;
        public Func<Turn, bool> Active = turn => turn.Order.Now(DateTime.UtcNow) == Standing.Open;
        public Action<Turn> Cancel = turn => turn.Order.Standing = Standing.Cancelled;

        // Points along the way, in this order. They run under the lock on the world, but for Finish.
        public Func<Call, Answer> Instead = call => null;                 // an answer in place of everything else
        public Func<Call, MediaType> ReadAs = call => call.In;            // how the body is read
        public Action<Call> Read = call => { };                           // the list was read
        public Action<Turn> Judged = turn => { };                         // one instruction has its result
        public Action<Call> AllJudged = call => { };                      // the list of results is complete
        public Func<Call, JToken, JToken> Tree = null;                    // the results as JSON
        public Action<Call, XmlDocument> Document = null;                 // the results as XML
        public Func<Call, string, string> Text = (call, text) => text;    // the results as text
        public Func<Call, string, string> ErrorText = (call, text) => text;
        public Action<Call, Answer> Finish = (call, answer) => { };       // the finished answer
    }
}
